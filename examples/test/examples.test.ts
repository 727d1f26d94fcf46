import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { EXAMPLES } from '../src/examples.ts';

/** Accuracy on held-out data, and bits of the scores (absolute), that each example reaches at least. */
const EXPECTED: Readonly<Record<string, { accuracy: number; bits: number }>> = {
  'logistic-regression': { accuracy: 0.9, bits: 14 },
  cnn: { accuracy: 0.9, bits: 12 },
  'time-series': { accuracy: 0.95, bits: 14 },
  transformer: { accuracy: 0.95, bits: 12 },
};

/** The cells of an example's row in the README, without its name and its bits, which vary with the keys. */
function published(name: string): string[] {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const cells = readme
    .split('\n')
    .find((line) => line.startsWith(`| ${name} `))!
    .split('|');
  return cells.slice(2, -2).map((cell) => cell.trim());
}

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** The command as users run it. In a process of its own: tfjs is five times slower inside of jest. */
const run = (...args: string[]) => promisify(execFile)(process.execPath, ['--no-warnings', MAIN, ...args]);

describe.each(EXAMPLES)('$name', ({ name }) => {
  test('trains, compiles as the README says, and decides the same on encrypted inputs', async () => {
    const { stdout, stderr } = await run(name, '--engine', 'mock', '--questions', '6', '--json');
    expect(stderr).toMatch(/loss \d\.\d+ to 0\.\d+\naccuracy/);
    expect(stderr).toMatch(/ring degree[\s\S]*128-bit security[\s\S]*\n {2}layer .*, part 1 of \d+, from level/);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ name, engine: 'mock', agreement: 1, profile: { securityBits: 128 } });
    expect(report.answers).toHaveLength(6);
    expect(report.accuracy).toBeGreaterThanOrEqual(EXPECTED[name]!.accuracy);
    expect(report.bits).toBeGreaterThan(EXPECTED[name]!.bits);
    const { polyModulusDegree, totalBits, depth, segments, keySwitches, evaluationKeyBytes } = report.profile;
    expect([
      `${Number((100 * report.accuracy).toFixed(1))} %`,
      ...[polyModulusDegree, totalBits, depth, segments - 1, keySwitches].map(String),
      `${(evaluationKeyBytes / 1e6).toFixed(1)} MB`,
    ]).toEqual(published(name));
  }, 120_000);
});

test('on ciphertexts the answer is the same', async () => {
  const { stdout } = await run('logistic-regression', '--questions', '2');
  expect(stdout).toMatch(/same class for 100 % of 2\n.*128-bit security, engine seal\n/);
  expect(Number(/agreement +(\S+) bits/.exec(stdout)![1])).toBeGreaterThan(EXPECTED['logistic-regression']!.bits);
}, 120_000);

describe('the command', () => {
  test('lists the examples', async () => {
    expect((await run('--list')).stdout.trim().split('\n')).toEqual(EXAMPLES.map(({ name }) => name));
  });

  test('explains itself', async () => {
    const { stdout } = await run('--help');
    for (const { name, shows } of EXAMPLES) expect(stdout).toContain(`${name.padEnd(22)}${shows}`);
  });

  test.each([
    [['perceptron'], "no example 'perceptron'. There are: logistic-regression, cnn, time-series, transformer"],
    [['cnn', '--engine', 'fast'], "--engine is 'fast': choose seal or mock"],
    [['cnn', '--questions', '0'], "--questions is '0': give an integer from 1 to 100"],
    [[], 'give the name of one example'],
    [['cnn', '--quick'], "Unknown option '--quick'"],
  ])('refuses %j and says why', async (args, message) => {
    await expect(run(...args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
  });
});
