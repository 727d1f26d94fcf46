import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { build, type Plugin } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What only the holder of the secret key may name in code. */
const SECRET = /\b(Decryptor|KeyGenerator|SecretKey|secretKey|createClient|decrypt\()/;

/** Our files that an entry point reaches through static and (unless told otherwise) dynamic imports, with their code. */
async function reachable(entry: string, dynamic = true): Promise<Map<string, string>> {
  const staticOnly: Plugin = {
    name: 'static imports only',
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined));
    },
  };
  const { metafile } = await build({
    plugins: dynamic ? [] : [staticOnly],
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'silent',
    external: ['node-seal', '@tensorflow/*'],
  });
  const ours = Object.keys(metafile.inputs).filter((path) => path.startsWith('src/'));
  return new Map(await Promise.all(ours.map(async (path) => [path, await readFile(`${root}/${path}`, 'utf8')] as const)));
}

const withoutComments = (code: string) => code.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
const secrets = (modules: Map<string, string>) =>
  [...modules].filter(([, code]) => SECRET.test(withoutComments(code))).map(([path]) => path);

describe.each(['src/server/index.ts', 'src/executor/worker.ts', 'src/index.ts'])('module graph of %s', (entry) => {
  test('reaches no module of a client, of the debugger or of the eager surface, and none that names a decryptor', async () => {
    const modules = await reachable(entry);
    expect(modules.size).toBeGreaterThan(20);
    expect([...modules.keys()].filter((path) => /^src\/(client|debug|eager)\//.test(path))).toEqual([]);
    expect(secrets(modules)).toEqual([]);
  });
});

test.each(['src/client/index.ts', 'src/debug/index.ts', 'src/eager/index.ts'])(
  'the same walk finds the secret key from %s',
  async (entry) => {
    expect(secrets(await reachable(entry))).toContain('src/client/seal_client.ts');
  },
);

test('the root loads the holder of the secret key when something is decrypted, not before', async () => {
  const modules = await reachable('src/eager/index.ts', false);
  expect([...modules.keys()]).toContain('src/eager/eager.ts');
  expect([...modules.keys()].filter((path) => /^src\/(client|debug)\//.test(path))).toEqual([]);
  // It has a function of that name, which loads the rest.
  modules.delete('src/eager/eager.ts');
  expect(secrets(modules)).toEqual([]);
});

test('the package exports what the walks begin with', async () => {
  const { exports } = JSON.parse(await readFile(`${root}/package.json`, 'utf8')) as { exports: Record<string, { default: string }> };
  const files = Object.entries(exports).flatMap(([name, { default: file }]) => (file === undefined ? [] : [`${name} ${file}`]));
  expect(files.sort()).toEqual([
    '. ./dist/eager/index.js',
    './client ./dist/client/index.js',
    './compiler ./dist/index.js',
    './debug ./dist/debug/index.js',
    './eager ./dist/eager/index.js',
    './server ./dist/server/index.js',
  ]);
});
