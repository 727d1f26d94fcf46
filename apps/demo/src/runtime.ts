import { DemoError } from './errors.js';

/** Oldest Node with the WebAssembly exception handling that SEAL's module is built for. */
const OLDEST_MAJOR = 22;

/** @param version as in process.versions.node. @throws DemoError NODE_TOO_OLD. */
export function requireNode(version: string): void {
  if (Number.parseInt(version, 10) >= OLDEST_MAJOR) return;
  throw new DemoError('NODE_TOO_OLD', `Node >= ${OLDEST_MAJOR} is needed and this is ${version}: use npm start, which brings its own`);
}
