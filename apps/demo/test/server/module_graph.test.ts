import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../../..', import.meta.url));

/** What only the holder of the secret key may name. */
const SECRET = /\b(Decryptor|KeyGenerator|SecretKey|secretKey|createClient)\b/;

/** Files of this repository that `entry` reaches through static and dynamic imports, with their code. */
async function reachable(entry: string): Promise<Map<string, string>> {
  const { metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    // node-seal is one WebAssembly module with everything in it: what matters is what our code names.
    external: ['node-seal', '@tensorflow/*', '@huggingface/*', 'fastify', '@fastify/*', 'ws', 'zod'],
  });
  const ours = Object.keys(metafile.inputs).filter((path) => !path.includes('node_modules'));
  return new Map(await Promise.all(ours.map(async (path) => [path, await readFile(`${root}/${path}`, 'utf8')] as const)));
}

const withSecrets = (modules: Map<string, string>) => [...modules].filter(([, code]) => SECRET.test(code)).map(([path]) => path);

describe.each([
  ['the server process', 'apps/demo/dist/server_main.js', 'packages/tfjs-he-backend/dist/engines/seal.js'],
  ['tfjs-he-backend/server', 'packages/tfjs-he-backend/dist/server/index.js', 'packages/tfjs-he-backend/dist/engines/seal.js'],
])('module graph of %s', (_name, entry, landmark) => {
  let modules: Map<string, string>;
  beforeAll(async () => {
    modules = await reachable(entry);
  });

  test('is walked as far as the engine', () => {
    expect([...modules.keys()]).toContain(landmark);
  });

  test('reaches no module of a client', () => {
    expect([...modules.keys()].filter((path) => path.includes('/client/'))).toEqual([]);
  });

  test('reaches no module that names a decryptor, a key generator or a secret key', () => {
    expect(withSecrets(modules)).toEqual([]);
  });
});

test('the same walk finds the secret key from the entry point of the client', async () => {
  const found = withSecrets(await reachable('apps/demo/dist/cli.js'));
  expect(found).toContain('packages/tfjs-he-backend/dist/client/seal_client.js');
});
