import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import * as client from '../src/client/index.js';
import * as he from '../src/index.js';
import * as server from '../src/server/index.js';

const MODULES = {
  '@tensorflow/tfjs-core': tf,
  '@tensorflow/tfjs-layers': tfl,
  'tfjs-he-backend': he,
  'tfjs-he-backend/client': client,
  'tfjs-he-backend/server': server,
};

/** Import statements as declarations that read a `modules` argument, so that the example runs against the sources. */
function withoutImports(code: string): string {
  return code
    .replace(/^import \* as (\w+) from '(.+)';$/gm, "const $1 = modules['$2'];")
    .replace(/^import (\{.+\}) from '(.+)';$/gm, "const $1 = modules['$2'];");
}

test('the example of the README runs and decrypts what the model predicts', async () => {
  await tf.setBackend('cpu');
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = withoutImports(/```js\n([\s\S]+?)```/.exec(readme)![1]!);
  const lines: unknown[][] = [];
  const run = new Function('modules', 'console', `return (async () => {${example}})();`) as (
    modules: object,
    console: object,
  ) => Promise<void>;
  await run(MODULES, { log: (...values: unknown[]) => lines.push(values) });
  expect(lines[0]![0]).toContain('128-bit security');
  expect(lines.slice(1, -1).flat()).toEqual(expect.arrayContaining([expect.stringMatching(/^\w+ at level \d$/)]));
  const [encrypted, plain] = lines.at(-1) as [Float32Array, Float32Array];
  expect(encrypted.length).toBe(2);
  for (const [i, value] of encrypted.entries()) expect(Math.abs(value - plain[i]!)).toBeLessThan(2 ** -12);
});
