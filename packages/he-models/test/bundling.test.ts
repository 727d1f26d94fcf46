import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { withFolder } from './temporary_folder.js';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const run = promisify(execFile);

/** Makes libraries that look for Node find a web worker. */
const WORKER_GLOBALS = 'globalThis.process = undefined; globalThis.WorkerGlobalScope = class {};';

/** Bundles a program for browsers into a folder without node_modules. Returns the modules that went in. */
async function bundle(source: string, folder: string): Promise<readonly string[]> {
  await writeFile(join(folder, 'worker.mjs'), WORKER_GLOBALS);
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  const { metafile } = await build({
    stdin: { contents: source, resolveDir: packageRoot },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    metafile: true,
    logLevel: 'silent',
    external: ['module'], // node-seal imports it in Node only
  });
  return Object.keys(metafile.inputs);
}

/** Last line that the bundle prints. */
async function printed(folder: string): Promise<string | undefined> {
  const { stdout } = await run(process.execPath, ['--import', './worker.mjs', 'stdin.js'], { cwd: folder });
  return stdout.trim().split('\n').at(-1);
}

describe('in a browser bundle', () => {
  test('the client works without tfjs, Node modules or server weights', async () => {
    await withFolder(async (folder) => {
      const source = `import { clientFromPretrained } from 'he-models/client';
        const { embed, labels } = await clientFromPretrained('power-banking77');
        console.log(embed('My card was stolen').length, labels.length);`;
      const inputs = await bundle(source, folder);
      const eager = inputs.filter((input) => input.includes('@tensorflow') || input.startsWith('node:'));
      expect(eager).toEqual([]);
      expect(await printed(folder)).toBe('2048 77');
    });
  });

  test('the whole model loads and predicts', async () => {
    await withFolder(async (folder) => {
      const source = `import '@tensorflow/tfjs-backend-cpu';
        import { tensor3d } from '@tensorflow/tfjs-core';
        import { fromPretrained } from 'he-models';
        const { model, embed, inputShape } = await fromPretrained('power-banking77');
        console.log(model.predict(tensor3d(embed('My card was stolen'), inputShape)).shape.join());`;
      await bundle(source, folder);
      expect(await printed(folder)).toBe('1,77');
    });
  });
});
