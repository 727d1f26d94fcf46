import { mkdir, rm } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const ENTRY = fileURLToPath(new URL('../../src/executor/worker.ts', import.meta.url));
// Inside the repository's node_modules, so that the bundle finds its packages.
const FOLDER = fileURLToPath(new URL('../../../../node_modules/.cache/tfjs-he-backend', import.meta.url));

/** The worker's code as one JavaScript file: threads do not read TypeScript. */
export async function bundleWorker(): Promise<{ readonly url: URL; remove(): Promise<void> }> {
  await mkdir(FOLDER, { recursive: true });
  const outfile = `${FOLDER}/worker-${process.pid}-${Date.now()}.mjs`;
  await build({ entryPoints: [ENTRY], outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' });
  return { url: pathToFileURL(outfile), remove: () => rm(outfile, { force: true }) };
}
