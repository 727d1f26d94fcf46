import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock } from 'tfjs-power-softmax';
import { approximations } from '../src/bench/approximations.js';
import { growth } from '../src/bench/growth.js';
import { latency } from '../src/bench/latency.js';
import type { Command } from '../src/cli/command.js';
import { convert } from '../src/cli/convert.js';
import { evaluate } from '../src/cli/evaluate.js';
import { exportModel } from '../src/cli/export.js';
import { info } from '../src/cli/info.js';
import { list } from '../src/cli/list.js';
import { run } from '../src/cli/run.js';
import { train } from '../src/cli/train.js';
import { AssetError, DataError, InputError, ModelUnavailableError, UnknownModelError, UsageError } from '../src/errors.js';
import { normals, seededRandom } from '../src/random.js';
import { jsonBytes, littleEndian, serialiseModel } from '../src/train/model_folder.js';
import { startWasm } from '../src/train/wasm.js';
import { writeTogether } from '../src/write_together.js';
import { writeTinyModel } from './tiny_model.js';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
let root: string;

beforeAll(async () => {
  await startWasm();
  root = await mkdtemp(join(tmpdir(), 'he-models-cli-'));
  await writeTinyModel(join(root, 'tiny'));
});
afterAll(() => rm(root, { recursive: true }));

/** Lines that a command prints. */
async function printed(command: Command, ...args: string[]): Promise<string[]> {
  const lines: string[] = [];
  const progress = { update: () => {}, log: () => {}, clear: () => {} };
  const { signal } = new AbortController();
  await command.run({ args, packageRoot, cwd: root, print: (line) => void lines.push(line), progress, signal });
  return lines;
}

const json = async (command: Command, ...args: string[]) => JSON.parse((await printed(command, ...args, '--json')).at(-1) ?? '');

/** A model folder as tfjs saves it: one attention block. */
async function saveBlock(name: string, attention: 'power' | 'softmax'): Promise<void> {
  const input = tfl.input({ shape: [4, 6] });
  const block = new EncoderBlock({
    name: 'block',
    attention,
    numHeads: 2,
    keyDim: 3,
    hiddenDim: 5,
    epsilon: 0.3,
    normEpsilon: 0.5,
    seed: 1,
  });
  const output = tfl.layers.dense({ units: 2, name: 'out' }).apply(block.apply(input)) as tfl.SymbolicTensor;
  const model = tfl.model({ inputs: input, outputs: output, name });
  const { modelJson, weights } = await serialiseModel(model);
  model.dispose();
  await writeTogether(join(root, name), { 'model.json': jsonBytes(modelJson), 'weights.bin': weights });
}

describe('the command he-models', () => {
  const execute = promisify(execFile);
  const start = (...args: string[]) => execute(process.execPath, [join(packageRoot, 'dist', 'cli', 'main.js'), ...args], { cwd: root });

  test('lists its commands', async () => {
    const { stdout } = await start('--help');
    for (const name of ['list', 'info', 'run', 'train', 'evaluate', 'convert', 'export']) expect(stdout).toContain(`\n  ${name} `);
  });

  test('ends with 2 and one line for a command line it does not understand', async () => {
    await expect(start('fly')).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: .*fly.*list.*\n$/) });
    await expect(start('info')).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: .*--help.*\n$/) });
  });

  test('ends in silence when nobody reads on', async () => {
    const child = start('info', 'power-banking77');
    child.child.stdout?.destroy();
    await expect(child).resolves.toMatchObject({ stderr: '' });
  });

  test('ends with 1 and one line for a failure', async () => {
    await expect(start('info', 'nothing')).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: .*power-banking77.*\n$/),
    });
  });
});

test('Ctrl-C ends training with 130 and one line, and leaves nothing half-written', async () => {
  await writeFile(join(root, 'letters.csv'), ['text,label', ...Array.from({ length: 40 }, (_, i) => `letter ${i},${i % 2}`)].join('\n'));
  const task = ['--task', 'text-classification', '--train', join(root, 'letters.csv'), '--epochs', '1000', '--out', join(root, 'letters')];
  const child = spawn(process.execPath, [join(packageRoot, 'dist', 'cli', 'main.js'), 'train', ...task], { cwd: root });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr += data.toString();
    if (stderr.includes('epoch 1/') && !child.killed) child.kill('SIGINT');
  });
  const [code] = await once(child, 'close');
  expect([code, stderr.split('\n').at(-2)]).toEqual([130, 'error: interrupted']);
  expect(await readdir(root)).not.toContain('letters');
  expect(await readdir(join(root, 'letters.checkpoints'))).toEqual(['power.json']);
});

test('npm run bench prints what a run takes, by model', async () => {
  const args = [join(packageRoot, 'dist', 'bench', 'main.js'), '--json', '--engine', 'mock', '--repeat', '1', '--model', 'power-mnist-vit'];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const row = JSON.parse(stdout);
  expect(row).toMatchObject({ model: 'power-mnist-vit', engine: 'mock', threads: 1, tokens: 16 });
  for (const name of ['totalMs', 'evaluateMs', 'refreshMs', 'refreshes', 'keyBytes', 'trafficBytes']) expect(row[name]).toBeGreaterThan(0);
  expect(row.bits).toBeGreaterThan(8);
});

describe('npm run bench refuses', () => {
  const bench = (...args: string[]) => promisify(execFile)(process.execPath, [join(packageRoot, 'dist', 'bench', 'main.js'), ...args]);

  test('what it does not understand with 2 and one line', async () => {
    await expect(bench('--model', 'typo')).rejects.toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: .*typo.*\n$/) });
  });

  test.each([
    ['a model that there is not', latency, ['--model', 'typo'], 'power-ecg'],
    ['an engine that there is not', latency, ['--engine', 'diesel'], 'simd, seal, mock'],
    ['no repeats', latency, ['--repeat', '0'], '--repeat'],
    ['no threads', latency, ['--threads', '0'], '--threads'],
    ['an option that there is not', latency, ['--mode', 'x'], '--help'],
    ['two benches', latency, ['growth'], 'growth'],
    ['another size to grow', growth, ['--of', 'heads'], 'tokens, features, blocks'],
    ['a model whose checkpoints are of another kind', approximations, ['--dataset', 'ecg'], 'banking77, sst2'],
    ['approximations without data', approximations, [], '--data'],
  ] as const)('%s', async (_, command, args, message) => {
    await expect(command(args, packageRoot)).rejects.toThrow(UsageError);
    await expect(command(args, packageRoot)).rejects.toThrow(message);
  });
});

test.each([list, info, run, train, evaluate, convert, exportModel])('command %# has help that says how to use it', ({ help }) => {
  expect(help).toMatch(/^Usage: /);
  expect(help).toContain('--json');
});

describe('list and info', () => {
  test('list names task and labels', async () => {
    expect(await json(list)).toContainEqual({ name: 'power-banking77', task: 'text-classification', labels: 77 });
  });

  test('list speaks of the tokens of a language model', async () => {
    expect((await printed(list)).at(-1)).toMatch(/^power-stories-260k +text-generation, 512 tokens$/);
  });

  test('info tells of a folder what its files say', async () => {
    expect(await json(info, 'tiny')).toMatchObject({ name: 'tiny', labels: ['RED', 'GREEN', 'BLUE'], he: { tokens: 6, depth: 2 } });
  });

  test('info prints accuracies and intervals of a trained model', async () => {
    const text = (await printed(info, 'power-banking77')).join('\n');
    expect(text).toContain('polynomial 88.36%');
    expect(text).toContain('block_0/attention/denominator: reciprocal on [0.300, 2.529], degree 3');
  });
});

describe('run', () => {
  test.each(['execute', 'simulate', 'disable'])('classifies with --fhe %s', async (fhe) => {
    const { labels, engine } = await json(run, 'tiny', 'so', 'very', 'blue', '--fhe', fhe, '--top-k', '1');
    expect(labels).toMatchObject([{ label: 'BLUE' }]);
    expect(engine).toBe({ execute: 'simd', simulate: 'mock', disable: undefined }[fhe]);
  });

  test('prints labels with their shares, best first', async () => {
    const lines = await printed(run, 'tiny', 'green', '--fhe', 'disable', '--top-k', '2');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ *\d+\.\d% {2}GREEN$/);
  });

  test('classifies an array of numbers, nested or not, from a file', async () => {
    const row = Array.from({ length: 28 }, () => 0);
    await writeFile(
      join(root, 'digit.json'),
      JSON.stringify(Array.from({ length: 28 }, (_, y) => row.map((_, x) => (x === 14 && y > 3 && y < 24 ? 255 : 0)))),
    );
    const { labels, model } = await json(run, 'power-mnist-vit', '--input', 'digit.json', '--fhe', 'disable');
    expect([model, labels[0].label, labels.length]).toEqual(['power-mnist-vit', '1', 3]);
  });

  test('continues a text', async () => {
    const args = ['power-stories-260k', 'Once', 'upon', 'a', 'time', '--fhe', 'disable', '--max-new-tokens', '3'];
    const { generated_text, engine } = await json(run, ...args);
    expect(generated_text).toMatch(/^Once upon a time,? \w+/);
    expect(engine).toBeUndefined();
    expect(await printed(run, ...args)).toEqual([generated_text]);
  });

  test.each([
    ['no file', ['power-mnist-vit']],
    ['a file that is not there', ['power-mnist-vit', '--input', 'nowhere.json']],
    ['a file that is no JSON', ['power-mnist-vit', '--input', 'text.json']],
    ['words', ['power-mnist-vit', '--input', 'words.json']],
    ['too few numbers', ['power-mnist-vit', '--input', 'few.json']],
  ])('refuses %s for an array', async (_, args) => {
    await writeTogether(root, { 'text.json': 'one', 'words.json': '["one"]', 'few.json': '[1, 2]' });
    await expect(printed(run, ...args, '--fhe', 'disable')).rejects.toMatchObject({
      code: expect.stringMatching(/^(USAGE|INPUT_INVALID)$/),
    });
  });

  test.each([
    ['no model', [], UsageError],
    ['no text', ['tiny'], UsageError],
    ['an unknown model', ['large', 'hello'], UnknownModelError],
    ['an unknown mode', ['tiny', 'red', '--fhe', 'maybe'], UsageError],
    ['an unknown option', ['tiny', 'red', '--fast'], new UsageError("Unknown option '--fast'. See --help.")],
    ['an option without its value', ['tiny', 'red', '--fhe'], new UsageError("Option '--fhe <value>' argument missing. See --help.")],
    ['no labels', ['tiny', 'red', '--top-k', '0'], UsageError],
    ['no new tokens', ['nowhere', 'red', '--max-new-tokens', '0'], UsageError],
    ['no threads', ['tiny', 'red', '--threads', '0'], UsageError],
    ['too many threads', ['tiny', 'red', '--threads', '65'], UsageError],
    ['an engine in simulation', ['tiny', 'red', '--fhe', 'simulate', '--engine', 'seal'], UsageError],
    ['an unknown engine', ['tiny', 'red', '--engine', 'diesel'], UsageError],
    ['a file for a model of texts', ['tiny', '--input', 'x.json'], UsageError],
  ])('refuses %s', async (_, args, error) => {
    await expect(printed(run, ...args)).rejects.toThrow(error);
  });
});

describe('evaluate', () => {
  test('measures agreement, mean squared error and bits', async () => {
    const lines = ['red', 'so very green', 'it is blue', 'red'].map((input) => JSON.stringify({ input, label: 'RED' }));
    await writeFile(join(root, 'inputs.jsonl'), `${lines.join('\n')}\n`);
    const report = await json(evaluate, 'tiny', '--data', 'inputs.jsonl', '--limit', '3', '--seed', '5');
    expect(report).toMatchObject({ model: 'tiny', fhe: 'simulate', inputs: 3, sameTop1: 1, clearAccuracy: 1 / 3, tokens: 6 });
    expect(report.mse).toBeLessThan(1e-5);
    expect(report.leastBits).toBeGreaterThan(10);
  });

  test('prints the same as lines', async () => {
    await writeFile(join(root, 'one.jsonl'), '{"input":"blue","label":"BLUE"}');
    const text = (await printed(evaluate, 'tiny', '--data', 'one.jsonl', '--fhe', 'execute', '--threads', '1')).join('\n');
    expect(text).toContain('same top-1   100.00%');
    expect(text).toMatch(/^evaluator +engine simd, (fused|plain) kernels, 1 thread$/m);
  });

  test.each([
    ['an empty file', ''],
    ['a line that is no JSON', '{"input"'],
    ['a line without a label', '{"input":"red"}'],
    ['an array of words', '{"input":["red"],"label":"RED"}'],
  ])('refuses %s', async (_, content) => {
    await writeFile(join(root, 'bad.jsonl'), content);
    await expect(printed(evaluate, 'tiny', '--data', 'bad.jsonl')).rejects.toThrow(DataError);
  });

  test('refuses a model without development data, and a folder without data', async () => {
    await expect(printed(evaluate, 'tiny', '--data', '.')).rejects.toThrow('power-banking77');
    await expect(printed(evaluate, 'power-banking77', '--data', 'tiny')).rejects.toThrow(DataError);
    await expect(printed(evaluate, 'power-banking77')).rejects.toThrow('--data');
  });
});

describe('export', () => {
  test('writes a folder that loads like the model, with its program and manifest', async () => {
    const { files } = await json(exportModel, 'tiny', '--out', 'copy', '--program');
    expect((await readdir(join(root, 'copy'))).sort()).toEqual(files.map(({ name }: { name: string }) => name).sort());
    expect((await json(run, 'copy', 'green', '--fhe', 'disable')).labels[0].label).toBe('GREEN');
    expect(await readFile(join(root, 'copy', 'README.md'), 'utf8')).toBe(await readFile(join(root, 'tiny', 'README.md'), 'utf8'));
    expect(JSON.parse(await readFile(join(root, 'copy', 'manifest.json'), 'utf8'))).toMatchObject({ format: 'he-manifest' });
  });

  test.each([
    ['a file', 'in-the-way'],
    ['a place in a file', 'in-the-way/x'],
  ])('refuses to write to %s', async (_, out) => {
    await writeFile(join(root, 'in-the-way'), '');
    await expect(printed(exportModel, 'tiny', '--out', out)).rejects.toThrow(UsageError);
    await expect(printed(convert, 'tiny', '--swap-softmax', '4', '--out', out)).rejects.toThrow('name a folder');
    await expect(printed(train, 'ecg', '--data', '.', '--out', out)).rejects.toThrow('name a folder');
  });

  test('leaves nothing behind when a file is damaged', async () => {
    await writeTinyModel(join(root, 'damaged'));
    await writeFile(join(root, 'damaged', 'weights.bin'), 'no weights');
    await expect(printed(exportModel, 'damaged', '--out', 'nothing')).rejects.toThrow('weights.bin is cut off');
    expect(await readdir(root)).not.toContain('nothing');
  });
});

describe('convert', () => {
  beforeAll(async () => {
    await saveBlock('power', 'power');
    await saveBlock('softmax', 'softmax');
    await writeFile(join(root, 'calibration.bin'), littleEndian([normals(32 * 4 * 6, 1, seededRandom(1))]));
  });

  test('turns a PowerSoftmax model into a polynomial and reports its approximations', async () => {
    const { report } = await json(convert, 'power', '--calibration', 'calibration.bin', '--out', 'polynomial', '--bits', '6');
    expect(report.sites.map(({ site }: { site: string }) => site)).toContain('block/attention/denominator');
    expect((await readdir(join(root, 'polynomial'))).sort()).toEqual(['model.json', 'report.json', 'weights.bin']);
    expect(await readFile(join(root, 'polynomial', 'model.json'), 'utf8')).toContain('PolynomialAttention');
  });

  test('swaps the softmax of a model, and says what it now needs', async () => {
    const lines = await printed(convert, 'softmax', '--swap-softmax', '4', '--out', 'twin');
    expect(lines[0]).toContain('block');
    expect(lines.at(-1)).toContain('train it further');
    await expect(printed(convert, 'softmax', '--calibration', 'calibration.bin', '--out', 'x')).rejects.toThrow('softmax');
  });

  test.each([
    ['neither calibration nor power', ['power', '--out', 'x'], UsageError],
    ['a folder without a model', ['nowhere', '--out', 'x', '--swap-softmax', '4'], ModelUnavailableError],
    ['a file that is no model', ['damaged-json', '--out', 'x', '--swap-softmax', '4'], AssetError],
    ['calibration of another shape', ['power', '--out', 'x', '--calibration', 'three.bin'], InputError],
    ['a margin below 1', ['power', '--out', 'x', '--calibration', 'three.bin', '--margin', '0.5'], UsageError],
  ])('refuses %s', async (_, args, error) => {
    await writeFile(join(root, 'three.bin'), new Uint8Array(12));
    await writeTogether(join(root, 'damaged-json'), { 'model.json': '{"weights' });
    await expect(printed(convert, ...args)).rejects.toThrow(error);
    expect(await readdir(root)).not.toContain('x');
  });
});
