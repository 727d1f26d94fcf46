import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** What only the holder of the secret key may name. */
const SECRET = /\b(Decryptor|KeyGenerator|SecretKey|secretKey|createClient)\b/;

/** Modules that an entry point of the built package reaches through static and dynamic imports. */
async function reachable(entry: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: [`packages/he-models/dist/${entry}.js`],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'esm',
    splitting: true,
    outdir: 'unused',
    logLevel: 'silent',
    external: ['node-seal'], // one WebAssembly module with everything in it: what matters is what our code names
  });
  return Object.keys(metafile.inputs);
}

const ours = (paths: readonly string[]): readonly string[] => paths.filter((path) => path.startsWith('packages/'));

async function namingSecrets(paths: readonly string[]): Promise<readonly string[]> {
  const codes = await Promise.all(ours(paths).map(async (path) => [path, await readFile(`${root}/${path}`, 'utf8')] as const));
  return codes.filter(([path, code]) => !path.includes('/assets/') && SECRET.test(code)).map(([path]) => path);
}

describe('he-models/client', () => {
  test('reaches no weights, no tfjs and no server code, and resolves for browsers', async () => {
    const modules = await reachable('client');
    expect(modules).toContain('packages/he-models/dist/assets/power-banking77/client.js');
    const foreign = modules.filter(
      (path) =>
        path.includes('@tensorflow') ||
        /assets\/.*\/server\.js|tfjs-he-backend\/dist\/(server|compiler|executor|graph|kernels|backend)\//.test(path),
    );
    expect(foreign).toEqual([]);
  });

  test('reaches the holder of the secret key, as the same search shows', async () => {
    expect(await namingSecrets(await reachable('client'))).toContain('packages/tfjs-he-backend/dist/client/seal_client.js');
  });
});

describe('he-models/server', () => {
  test('reaches no client module and none that names a decryptor, a key generator or a secret key', async () => {
    const modules = await reachable('server');
    expect(modules).toContain('packages/tfjs-he-backend/dist/engines/seal.js');
    expect(ours(modules).filter((path) => /\/client\/|assets\/.*\/client\.js|he_model_client/.test(path))).toEqual([]);
    expect(await namingSecrets(modules)).toEqual([]);
  });
});
