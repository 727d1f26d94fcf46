import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type EncryptedFigures, figuresText, type MeasuredRun, readFigures, weightsDigest } from '../src/cards/encrypted_figures.js';
import { depthsOfBlocks, encryptedSection } from '../src/cards/encrypted_section.js';
import { withFigures, withSection } from '../src/cards/with_figures.js';
import { evaluate } from '../src/cli/evaluate.js';
import { DataError, UsageError } from '../src/errors.js';
import { startWasm } from '../src/train/wasm.js';
import type { PlanFigures } from '../src/use/plan_figures.js';
import { writeTinyModel } from './tiny_model.js';

const PLAN: PlanFigures = {
  tokens: 16,
  depth: 14,
  refreshes: 8,
  refreshRounds: 6,
  keySwitches: 98,
  parameters: { polyModulusDegree: 8192, coeffModulusBits: [45, 32, 45], totalBits: 122, securityBits: 128 },
  serverKeyBytes: 70_800_000,
  constantBytes: 1_950_000_000,
  predictedMs: 512,
  layers: [
    { name: 'block_0/attention', depth: 9, depthSoFar: 9, keySwitches: 75, predictedMs: 168 },
    { name: 'block_0/norm', depth: 4, depthSoFar: 12, keySwitches: 14, predictedMs: 37 },
    { name: 'class', depth: 2, depthSoFar: 14, keySwitches: 9, predictedMs: 18 },
  ],
};
const { layers: _, ...COUNTS } = PLAN;
const COMMON = {
  ...COUNTS,
  model: 'm',
  engine: 'simd',
  execution: { kernels: 'fused', threads: 2, workers: 0 },
  sameTop1: 0.99,
  mse: 3.2e-8,
  maxDifference: 4.4e-4,
  bits: 11.31,
  leastBits: 10.96,
  setupMs: 3210,
  coldMs: 987,
  totalMs: 654,
  evaluateMs: 432,
  refreshMs: 187,
  coldLayersMs: { 'block_0/attention': 301, 'block_0/norm': 52, class: 21 },
  layersMs: { 'block_0/attention': 201, 'block_0/norm': 42, class: 11 },
  keyBytes: 20_100_000,
  uploadBytes: 1_600_000,
  downloadBytes: 2_000_000,
  command: 'he-models evaluate m --data DIR --fhe execute --limit 100',
  machine: { cpu: 'Abacus 9000', cores: 2, node: 'v24.9.0' },
} as const;
const EXECUTED: MeasuredRun = { ...COMMON, fhe: 'execute', inputs: 100, accuracy: 0.9, clearAccuracy: 0.91 };
const WRITTEN: MeasuredRun = {
  ...COMMON,
  fhe: 'execute',
  cached: true,
  texts: 1,
  read: 100,
  prompt: 'Once upon',
  continuation: ' a time',
  written: 20,
  sameWritten: 19,
};
const figures = (runs: Partial<EncryptedFigures>): EncryptedFigures => ({ format: 1, weights: 'w', plan: PLAN, ...runs });

describe('the section on encrypted runs', () => {
  test.each([
    ['ring degree', 'ring degree 8192, primes of 45 + 32 + 45 = 122 bits, 128-bit security'],
    ['depth of blocks', '14 levels (`block_0` 12, `class` 2)'],
    ['refreshes', '8 ciphertexts refreshed in 6 rounds, 98 key switches'],
    ['memory', '70.8 MB of evaluation keys and 1.95 GB of constants'],
    ['agreement', '| `execute` | simd, 2 threads | 99 of 100 | 90.00% (91.00%) | 3.2e-8 | 4.4e-4 | 11.3 / 11.0 |'],
    ['machine', '2 cores of Abacus 9000 with Node 24'],
    ['latency', '0.99 s (cold), and a warm one 0.65 s (median), 0.43 s of it'],
    ['traffic', '20.1 MB of evaluation keys are sent; per input 1.6 MB up and 2.0 MB down'],
    ['layers', '| `block_0/norm` | 4 | 14 | 52 ms | 42 ms |'],
    ['command', '    he-models evaluate m --data DIR --fhe execute --limit 100'],
  ])('has the %s', (_name, text) => {
    expect(encryptedSection(figures({ execute: EXECUTED }))).toContain(text);
  });

  test('of a language model says what was written, and what the cache saves', () => {
    const cache = {
      cachedMs: 4000,
      wholeMs: 10_000,
      whole: PLAN,
      command: 'he-models evaluate m --compare-cache',
      machine: COMMON.machine,
    };
    const text = encryptedSection(figures({ execute: WRITTEN, cache }));
    expect(text).toContain('| 99 of 100 | 19 of 20 |');
    expect(text).toContain('"Once upon" went on: " a time"');
    expect(text).toContain('(14 levels, 8 ciphertexts refreshed in 6 rounds, 1.95 GB of constants)');
    expect(text).toContain('takes 10 s, 2.5 times the 4.00 s');
    expect(text).toContain('    he-models evaluate m --compare-cache');
  });

  test('says so where the plan was another one when it was measured', () => {
    expect(encryptedSection(figures({ execute: { ...EXECUTED, refreshes: 9 } }))).toContain(
      'With `--fhe execute` an earlier version was measured: 9 ciphertexts refreshed in 6 rounds, 98 key switches.',
    );
    expect(encryptedSection(figures({ execute: EXECUTED }))).not.toContain('an earlier version');
  });

  test('does not speak of refreshes where there are none', () => {
    const without = { refreshes: 0, refreshRounds: 0 };
    const text = encryptedSection({ ...figures({ execute: { ...EXECUTED, ...without } }), plan: { ...PLAN, ...without } });
    expect(text).toContain('no refreshes, 98 key switches');
    expect(text).not.toContain('refreshed');
    expect(text).not.toContain('waiting');
    expect(text).not.toContain('refreshes included');
  });

  test('without runs is what the compiler predicts', () => {
    const text = encryptedSection(figures({}));
    expect(text).toContain('Predicted for a warm run on one thread of a 2-vCPU Xeon, with 20 ms a round of refreshes: 0.51 s');
    expect(text).toContain('| `class` | 2 | 9 | 18 ms |');
    expect(text).not.toContain('Measured by');
  });

  test('counts parallel layers of a block once', () => {
    const layer = (name: string, depthSoFar: number) => ({ name, depth: 5, depthSoFar, keySwitches: 1, predictedMs: 1 });
    expect(depthsOfBlocks({ ...PLAN, layers: [layer('b/x', 5), layer('b/y', 5), layer('a', 9)] })).toEqual([
      { name: 'b', depth: 5 },
      { name: 'a', depth: 4 },
    ]);
  });
});

describe('a card', () => {
  const SECTION = '## Encrypted\n\nnew\n';

  test.each([
    [
      'gets the section before the limits',
      '# m\n\n## Use and limits\n\nnone\n',
      '# m\n\n## Encrypted\n\nnew\n\n## Use and limits\n\nnone\n',
    ],
    [
      'gets it in place of an older one',
      '# m\n\n## Encrypted\n\nold\n| $1 |\n\n### Part\n\n## Other\n',
      '# m\n\n## Encrypted\n\nnew\n\n## Other\n',
    ],
    ['gets it at the end otherwise', '# m\n', '# m\n\n## Encrypted\n\nnew\n'],
    ['gets it in place of an older one at the end', '# m\n\n## Encrypted\n\nold\n', '# m\n\n## Encrypted\n\nnew\n'],
  ])('%s', (_name, card, expected) => {
    expect(withSection(card, SECTION)).toBe(expected);
    expect(withSection(expected, SECTION)).toBe(expected);
  });
});

test('a card with a table of degrees says which row is shipped', () => {
  const row = { accuracy: 0.8, sameTop1: 0.995, depth: 20, keySwitches: 200, refreshes: 10, predictedMs: 1234 };
  const shipped = { reciprocal: 3, rsqrt: 3, gelu: 6 };
  const rows = [
    { ...row, degrees: { ...shipped, gelu: 2 } },
    { ...row, degrees: shipped, measuredMs: 987, threads: 2 },
  ];
  const card = withFigures('# m\n\n## Use and limits\n', figures({ approximations: { rows, shipped, command: 'npm run bench' } }));
  expect(card).toContain('what is shipped is row 2.');
  expect(card).toContain('median of three on 2 threads');
  expect(card).toContain('| 3 | 3 | 6 | 80.00% | 99.5% | 20 | 200 | 10 | 1.23 s | 0.99 s |');
  expect(card.match(/^## .*$/gm)).toEqual(['## Encrypted', '## Accuracy against depth', '## Use and limits']);
});

describe('evaluate --card', () => {
  let root: string;
  const run = async (...args: string[]): Promise<void> => {
    const progress = { update: () => {}, log: () => {}, clear: () => {} };
    const { signal } = new AbortController();
    await evaluate.run({ args, packageRoot: root, cwd: root, print: () => {}, progress, signal });
  };
  const read = (file: string): Promise<string> => readFile(join(root, 'tiny', file), 'utf8');
  beforeAll(async () => {
    await startWasm();
    root = await mkdtemp(join(tmpdir(), 'he-models-cards-'));
    await writeTinyModel(join(root, 'tiny'));
    await writeFile(join(root, 'inputs.jsonl'), '{"input":"red","label":"RED"}\n{"input":"so very blue","label":"RED"}');
  });
  afterAll(() => rm(root, { recursive: true }));

  test('keeps the figures of each mode, and the card says them with the command', async () => {
    await run('tiny', '--data', 'inputs.jsonl', '--card', '--seed', '1');
    await run('tiny', '--data', 'inputs.jsonl', '--card', '--fhe', 'execute', '--limit', '1');
    const { simulate, execute, plan }: EncryptedFigures = JSON.parse(await read('encrypted.json'));
    expect([simulate, execute]).toMatchObject([
      { inputs: 2, accuracy: 0.5, engine: 'mock' },
      { inputs: 1, accuracy: 1, engine: 'simd' },
    ]);
    expect(plan.depth).toBe(2);
    const card = await read('README.md');
    expect(card.match(/^## Encrypted$/gm)).toHaveLength(1);
    expect(card).toContain('    he-models evaluate tiny --data FILE.jsonl --seed 1 --fhe simulate');
    expect(card).toContain('    he-models evaluate tiny --data FILE.jsonl --fhe execute --limit 1');
  });

  test('drops figures of other weights', async () => {
    const file = join(root, 'tiny', 'encrypted.json');
    const config = JSON.parse(await read('config.json'));
    const own = weightsDigest(config);
    expect(await readFigures(file, own)).toBeDefined();
    const changed = weightsDigest({ files: { ...config.files, 'weights.bin': { bytes: 1, sha256: '0' } } });
    expect(await readFigures(file, changed)).toBeUndefined();
    const parameters = weightsDigest({ files: { ...config.files, 'he.json': { bytes: 1, sha256: '0' } } });
    expect(parameters).toBe(own);
  });

  test('refuses a model without a card, a file of something else, and the options of language models, before it measures', async () => {
    await expect(run('power-ecg', '--data', 'inputs.jsonl', '--card')).rejects.toThrow(DataError);
    await expect(run('tiny', '--data', 'inputs.jsonl', '--prompt', 'x')).rejects.toThrow(UsageError);
    await expect(run('tiny', '--data', 'inputs.jsonl', '--no-cache')).rejects.toThrow(UsageError);
    await writeFile(join(root, 'other.json'), '{"format":1}');
    await expect(readFigures(join(root, 'other.json'), 'w')).rejects.toThrow(DataError);
    await writeFile(join(root, 'good.json'), figuresText(figures({})));
    expect(await readFigures(join(root, 'good.json'), 'w')).toEqual(figures({}));
  });
});
