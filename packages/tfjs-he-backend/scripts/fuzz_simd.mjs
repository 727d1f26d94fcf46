/** Bundles test/support/fuzz_simd.ts, which is TypeScript that imports TypeScript by the names of JavaScript, and runs it. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));
// Inside of the package, so that the bundle finds what it imports, where git does not look.
const cache = folder('../node_modules/.cache');
await mkdir(cache, { recursive: true });
const made = await mkdtemp(`${cache}/fuzz-simd-`);
try {
  const outfile = `${made}/fuzz.mjs`;
  const entryPoints = [folder('../test/support/fuzz_simd.ts')];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' });
  await import(pathToFileURL(outfile).href);
} finally {
  await rm(made, { recursive: true });
}
