import { ready, setBackend } from '@tensorflow/tfjs-core';
import { PackageMissingError } from '../errors.js';

const BACKEND = '@tensorflow/tfjs-backend-wasm';

/**
 * Starts tfjs' WASM backend with one thread, on which results repeat bit for bit.
 *
 * @throws PackageMissingError where it is not installed: only training and conversion need it
 */
export async function startWasm(): Promise<void> {
  const { setThreadsCount } = await import(BACKEND).catch((cause: unknown) => {
    throw new PackageMissingError(`Training and conversion run on ${BACKEND}, which cannot be loaded: npm install ${BACKEND}`, { cause });
  });
  setThreadsCount(1);
  await setBackend('wasm');
  await ready();
}
