import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';

const ENTRY = fileURLToPath(new URL('../../src/seal/load.ts', import.meta.url));
const MODULE = /node-seal[\\/]dist[\\/]seal_throws\.js$/;
const REFERENCE = 'new URL("seal_throws.wasm",import.meta.url)';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'he-bundle-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('the WebAssembly module is found where a bundler moves it', async () => {
  // What vite, webpack and others do: copy the file under a hashed name and rewrite the literal reference to it.
  const moved = {
    name: 'move wasm',
    setup(bundler: Parameters<NonNullable<Parameters<typeof build>[0]['plugins']>[number]['setup']>[0]) {
      bundler.onLoad({ filter: MODULE }, async ({ path }) => {
        const code = await readFile(path, 'utf8');
        expect(code).toContain(REFERENCE);
        await copyFile(path.replace(/\.js$/, '.wasm'), join(folder, 'asset-1a2b.wasm'));
        return { contents: code.replace(REFERENCE, 'new URL("./asset-1a2b.wasm",import.meta.url)') };
      });
    },
  };
  const script = 'import { loadSealModule } from ENTRY; const seal = await loadSealModule(); console.log(typeof seal.CKKSEncoder);'.replace(
    'ENTRY',
    JSON.stringify(ENTRY),
  );
  await build({
    stdin: { contents: script, resolveDir: folder },
    outfile: join(folder, 'bundle.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    plugins: [moved],
  });
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'bundle.mjs')]);
  expect(stdout.trim()).toBe('function');
});

test('a bundle without the WebAssembly module says which file it lacks', async () => {
  const script = 'import { loadSealModule } from ENTRY; await loadSealModule().catch(({ code, hint }) => console.log(code, hint));';
  const outfile = join(folder, 'lacking.mjs');
  const stdin = { contents: script.replace('ENTRY', JSON.stringify(ENTRY)), resolveDir: folder };
  await build({ stdin, outfile, bundle: true, format: 'esm', platform: 'node', logLevel: 'error' });
  const { stdout } = await promisify(execFile)(process.execPath, [outfile]);
  expect(stdout).toMatch(/^RUNTIME_UNSUPPORTED .*seal_throws\.wasm beside the script/);
});
