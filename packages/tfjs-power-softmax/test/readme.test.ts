import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import * as powerSoftmax from '../src/index.js';
import { useBackend } from './support/backend.js';

const MODULES = { '@tensorflow/tfjs-core': tf, '@tensorflow/tfjs-layers': tfl, 'tfjs-power-softmax': powerSoftmax };

/** Import statements as declarations that read a `modules` argument, so that the example runs against the sources. */
function withoutImports(code: string): string {
  return code
    .replace(/^import \* as (\w+) from '(.+)';$/gm, "const $1 = modules['$2'];")
    .replace(/^import (\{.+\}) from '(.+)';$/gm, "const $1 = modules['$2'];")
    .replace(/^import '.+';$/gm, '');
}

test('the example of the README runs, stays inside its intervals and keeps its accuracy', async () => {
  await useBackend('wasm');
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```js\n([\s\S]+?)```/.exec(readme)![1]!;
  const output: unknown[] = [];
  const run = new Function('modules', 'console', withoutImports(example)) as (modules: object, console: object) => void;
  run(MODULES, { log: (value: unknown) => output.push(value) });
  const [report, { error, correct }] = output as [string, { error: number; correct: number }];
  expect(report.split('\n')).toHaveLength(5);
  expect(error).toBeLessThan(0.05);
  expect(correct).toBeGreaterThan(0.95);
});
