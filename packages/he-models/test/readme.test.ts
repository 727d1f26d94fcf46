import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const run = promisify(execFile);

async function example(index: number): Promise<string> {
  const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
  return [...readme.matchAll(/```js\n(.*?)```/gs)][index]?.[1] ?? '';
}

describe('the examples in the README', () => {
  test.each([
    [1, 'lost_or_stolen_card'],
    [2, 'lost_or_stolen_card'],
    [3, "'where'"],
  ])('example %i prints %s', async (index, printed) => {
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', await example(index)], { cwd: packageRoot });
    expect(stdout).toContain(printed);
  });

  // Encrypted, the first takes half a minute on a busy machine: here it runs the same program in simulation.
  test('example 0 prints transaction_charged_twice', async () => {
    const code = (await example(0)).replace("'execute'", "'simulate'");
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: packageRoot });
    expect(stdout).toContain('transaction_charged_twice');
  });
});
