import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { manifestOf, parseProgram, serializeProgram } from 'tfjs-he-backend';
import { evaluate } from '../src/cli/evaluate.js';
import { exportModel } from '../src/cli/export.js';
import { InputError, UsageError } from '../src/errors.js';
import { HeModelClient, HeModelServer, loadClearModel, measureGeneration, pipeline } from '../src/index.js';
import { parseLlamaCheckpoint } from '../src/llama/checkpoint.js';
import { seededRandom } from '../src/random.js';
import { programFromPretrained } from '../src/server.js';
import { serialiseModel } from '../src/train/model_folder.js';
import type { TrainOptions } from '../src/train/options.js';
import { runStoryTraining, type StorySummary, trainStories } from '../src/train/stories/run_stories.js';
import { consecutiveWindows, evaluationBatches, randomWindows } from '../src/train/stories/story_data.js';
import { STORIES_RECIPE, type StoryRecipe } from '../src/train/stories/story_recipe.js';
import { storyModels } from '../src/train/stories/story_student.js';
import { startWasm } from '../src/train/wasm.js';
import { loadClearReader } from '../src/use/clear_reader.js';
import { continueText } from '../src/use/continue_text.js';
import { readWindows, type TextReader } from '../src/use/text_reader.js';
import { printedBy, readmeExample } from './readme_example.js';
import { TINY_LLAMA, tinyLlamaBytes, tinyVocabularyBytes } from './tiny_llama.js';

const TINY: StoryRecipe = {
  ...STORIES_RECIPE,
  tokens: 4,
  epochs: 2,
  stepsPerEpoch: 3,
  batchSize: 8,
  sampledTokens: 100,
  heldOutTokens: 60,
  conversion: { calibrationWindows: 60, margin: { reciprocal: 2, rsqrt: 2, silu: 1.5 }, bits: 6, valueBits: 12, stepValueBits: 12 },
};
const STREAM = Int32Array.from({ length: 20 }, (_, index) => index);
const quiet = { update: () => {}, log: () => {}, clear: () => {} };
let root: string;
let options: TrainOptions;
let summary: StorySummary;
let leftTensors: number;

beforeAll(async () => {
  await startWasm();
  root = await mkdtemp(join(tmpdir(), 'he-models-stories-'));
  await mkdir(join(root, 'data', 'stories260k'), { recursive: true });
  await mkdir(join(root, 'data', 'text'));
  await writeFile(join(root, 'data', 'stories260k', 'stories260K.bin'), tinyLlamaBytes({ layers: 1 }));
  await writeFile(join(root, 'data', 'stories260k', 'tok512.bin'), tinyVocabularyBytes());
  await writeFile(join(root, 'data', 'text', 'tinystories-sample.txt'), 'the cat at the heat. '.repeat(20));
  options = {
    dataset: 'stories260k',
    data: join(root, 'data'),
    vocabulary: undefined,
    checkpoints: join(root, 'checkpoints'),
    json: true,
    variant: 'both',
    out: join(root, 'model'),
    fresh: false,
    epochs: undefined,
    seed: undefined,
  };
  const before = tf.memory().numTensors;
  summary = await runStoryTraining(options, TINY, quiet);
  leftTensors = tf.memory().numTensors - before;
});
afterAll(() => rm(root, { recursive: true }));

describe('windows', () => {
  test('are followed by what comes next in the stream', () => {
    const { inputs, targets, count } = randomWindows(STREAM, 9, 4, seededRandom(1));
    expect(count).toBe(9);
    expect([...targets]).toEqual([...inputs].map((token) => token + 1));
  });

  test('cover a stream once, as far as they fit', () => {
    expect([...consecutiveWindows(STREAM, 6).inputs]).toEqual([...STREAM.subarray(0, 18)]);
    expect(evaluationBatches(STREAM, 6).flatMap(({ inputs }) => [...inputs])).toEqual([...STREAM.subarray(0, 18)]);
  });
});

describe('the student', () => {
  const checkpoint = parseLlamaCheckpoint(tinyLlamaBytes({ layers: 1 }));

  test('starts with scores whose powers are of the size of epsilon', () => {
    const text = consecutiveWindows(
      Int32Array.from({ length: 401 }, (_, index) => (index * 37) % 270),
      TINY.tokens,
    );
    const { student, dispose } = storyModels(checkpoint, TINY, text);
    const again = storyModels(checkpoint, { ...TINY, scoreLevel: 16 * TINY.scoreLevel }, text);
    const query = (model: typeof student) => model.getLayer('block_0').getWeights()[0]!.dataSync()[0]!;
    // Sixteen times the level of the fourth powers is twice the queries.
    expect(query(again.student) / query(student)).toBeCloseTo(2, 4);
    dispose();
    again.dispose();
  });
});

describe('training', () => {
  test('reports losses of the three forms, which training brings closer', async () => {
    const { loss, polynomial } = await trainStories(
      { ...options, checkpoints: join(root, 'long') },
      { ...TINY, epochs: 1, stepsPerEpoch: 40, learningRate: 1e-2 },
      quiet,
    );
    polynomial.model.dispose();
    expect(loss.softmax).toBe(summary.loss.softmax);
    expect(Math.abs(loss.powerSoftmax - loss.softmax)).toBeLessThan(Math.abs(summary.loss.powerSoftmax - summary.loss.softmax));
    expect(Math.abs(loss.polynomial - loss.powerSoftmax)).toBeLessThan(0.1);
  });

  test('leaves no tensors behind', () => {
    expect(leftTensors).toBe(0);
  });

  test('interrupted after an epoch, it goes on from its checkpoint and ends with the same weights', async () => {
    const interrupted = { ...options, checkpoints: join(root, 'interrupted') };
    const controller = new AbortController();
    const stop = (line: string): void => {
      if (line.startsWith('student: epoch 1/2')) controller.abort(new Error('enough'));
    };
    await expect(trainStories(interrupted, TINY, { ...quiet, signal: controller.signal, log: stop })).rejects.toThrow('enough');
    const lines: string[] = [];
    const { polynomial } = await trainStories(interrupted, TINY, { ...quiet, log: (line) => lines.push(line) });
    expect(lines).toContain('student: continuing after epoch 1 of 2');
    const { weights } = await serialiseModel(polynomial.model);
    polynomial.model.dispose();
    expect(Buffer.compare(weights, await readFile(join(root, 'model', 'weights.bin')))).toBe(0);
  });

  test('makes a polynomial of a shorter context from the same checkpoint', async () => {
    const { loss, polynomial, recipe } = await trainStories({ ...options, context: 3 }, TINY, quiet);
    expect(recipe.tokens).toBe(3);
    expect(polynomial.model.inputs[0]!.shape).toEqual([null, 3, TINY_LLAMA.features]);
    expect(Math.abs(loss.polynomial - loss.powerSoftmax)).toBeLessThan(0.1);
    polynomial.model.dispose();
  });

  test('refuses a context that it was not trained on', async () => {
    await expect(runStoryTraining({ ...options, context: 5 }, TINY, quiet)).rejects.toThrow(UsageError);
  });

  test('refuses variants', async () => {
    await expect(runStoryTraining({ ...options, variant: 'power' }, TINY, quiet)).rejects.toThrow(UsageError);
  });
});

describe('reading token by token', () => {
  const WORDS = 'the cat at the heat';
  /** Of a difference in shares of the largest logit: the model is hardly trained, and its polynomials amplify noise. */
  const largest = (a: Float32Array, b: Float32Array): number =>
    Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / Math.max(...b.map(Math.abs));
  let text: readonly number[];
  let folder: string;
  let client: HeModelClient;
  let clear: TextReader;
  beforeAll(async () => {
    folder = join(root, 'model');
    client = await HeModelClient.from_pretrained(folder);
    clear = await loadClearReader(client, folder);
    text = client.tokenize(WORDS, { truncate: true }).ids;
    text = [...text, ...text.slice(0, 2)];
  });
  afterAll(() => clear.dispose());

  test('gives the logits that the model gives for whole texts', async () => {
    const whole = await loadClearModel(folder);
    const [, tokens] = client.inputShape;
    const expected = whole.logits(client.embed(text.slice(0, tokens)));
    const open = clear.begin();
    for (let t = 0; t < tokens; t++) {
      const row = expected.slice(t * client.labels.length, (t + 1) * client.labels.length);
      expect(largest(await open.read([text[t]!]), row)).toBeLessThan(1e-4);
    }
    open.dispose();
    whole.dispose();
  });

  test('leaves no tensors behind', async () => {
    const before = tf.memory().numTensors;
    const open = clear.begin();
    await open.read(text);
    open.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test('of client and server apart: keys and values stay at the server, beyond the context too, and go with the text', async () => {
    const server = await HeModelServer.from_pretrained(folder, { fhe: 'simulate', seed: 1 });
    const other = await HeModelClient.from_pretrained(folder);
    const session = await server.openSession(
      await other.connect(JSON.parse(JSON.stringify(server.manifest)), { fhe: 'simulate', seed: 2 }),
    );
    const before = session.ledger.of('ciphertext').count;
    const sequence = session.sequence(other.encryptState());
    const expected = clear.begin();
    for (const token of text) {
      const { outputs } = await sequence.run(other.encryptToken(token, sequence.length), { refresh: async (sent) => other.refresh(sent) });
      expect(largest(other.decrypt(outputs), await expected.read([token]))).toBeLessThan(0.05);
    }
    expect(session.ledger.of('ciphertext').count).toBeGreaterThan(before);
    sequence.dispose();
    expect(session.ledger.of('ciphertext').count).toBe(before);
    for (const part of [expected, session, server, other]) part.dispose();
  }, 120_000);

  test('on ciphertexts agrees with the clear, and writes the same token by token', async () => {
    const report = await measureGeneration(folder, [text.slice(0, 1)], { fhe: 'execute', newTokens: 3 });
    expect(report).toMatchObject({ cached: true, texts: 1, read: 4, sameTop1: 1, written: 3, sameWritten: 3 });
    expect(report.leastBits).toBeGreaterThan(5);
    expect(report.mse).toBeLessThan(1e-5);
    expect(report.prompt + report.continuation).toMatch(/^\S{3,}/);
  }, 120_000);

  test('is not what a server without a cache does, which takes whole texts', async () => {
    const server = await HeModelServer.from_pretrained(folder, { fhe: 'simulate', cache: false, compile: { polyModulusDegrees: [8192] } });
    const other = await HeModelClient.from_pretrained(folder);
    const session = await server.openSession(await other.connect(server.manifest, { fhe: 'simulate' }));
    expect(() => other.encryptToken(1, 0)).toThrow(InputError);
    const { outputs } = await session.run(other.encrypt(WORDS, { truncate: true }), { refresh: async (sent) => other.refresh(sent) });
    const whole = await loadClearModel(folder);
    expect(largest(other.decrypt(outputs), whole.logits(other.embed(WORDS, { truncate: true })))).toBeLessThan(0.05);
    for (const part of [whole, session, server, other]) part.dispose();
  }, 120_000);

  test('refuses what is no token', () => {
    expect(() => client.embedToken(9999)).toThrow(InputError);
  });
});

describe('pipeline with a language model', () => {
  test('writes under simulated encryption what it writes in the clear, piece by piece; stops with the reason of its signal, and goes on', async () => {
    const load = (fhe: 'disable' | 'simulate') => pipeline('text-generation', join(root, 'model'), { fhe, seed: 1 });
    const [clear, simulated] = [await load('disable'), await load('simulate')];
    const [expected] = await clear('the', { max_new_tokens: 2 });
    const controller = new AbortController();
    const stop = (): void => controller.abort(new Error('enough'));
    await expect(simulated('the', { signal: controller.signal, callback_function: stop })).rejects.toThrow('enough');
    const pieces: string[] = [];
    const [generation] = await simulated('the', { max_new_tokens: 2, callback_function: (piece) => pieces.push(piece) });
    expect(expected?.generated_text).toMatch(/^the./s);
    expect(generation).toEqual(expected);
    expect(`the${pieces.join('')}`).toBe(expected?.generated_text);
    clear.dispose();
    simulated.dispose();
  }, 120_000);
});

describe('export of a language model', () => {
  test('writes the program that its server runs, which is of one token', async () => {
    const { signal } = new AbortController();
    const context = { packageRoot: root, cwd: root, print: () => {}, progress: quiet, signal };
    await exportModel.run({ ...context, args: ['model', '--out', 'copy', '--program'] });
    const program = parseProgram(await readFile(join(root, 'copy', 'program.bin')));
    expect(serializeProgram(program)).toEqual(serializeProgram(await programFromPretrained(join(root, 'model'))));
    const manifest = JSON.parse(await readFile(join(root, 'copy', 'manifest.json'), 'utf8'));
    expect(manifest).toEqual(JSON.parse(JSON.stringify(manifestOf(program))));
    expect(manifest.state.length).toBeGreaterThan(0);
  }, 120_000);
});

describe('evaluate with a language model', () => {
  const report = async (...args: string[]) => {
    const lines: string[] = [];
    const { signal } = new AbortController();
    const context = { packageRoot: root, cwd: root, print: (line: string) => void lines.push(line), progress: quiet, signal };
    await evaluate.run({ ...context, args: ['model', ...args, '--seed', '1', '--json'] });
    return JSON.parse(lines.at(-1) ?? '');
  };

  test('measures what the cache saves, for the card too', async () => {
    await report('--prompt', 'the', '--new-tokens', '1', '--card');
    const { cached, whole, ratio } = await report('--prompt', 'the', '--new-tokens', '1', '--compare-cache', '--card');
    expect(cached).toMatchObject({ cached: true, prompt: 'the', written: 1, sameWritten: 1, read: 1 });
    expect(whole).toMatchObject({ cached: false, written: 1, sameWritten: 1, continuation: cached.continuation });
    expect(ratio).toBeCloseTo(whole.totalMs / cached.totalMs, 9);
    const card = await readFile(join(root, 'model', 'README.md'), 'utf8');
    expect(card).toContain(`With \`--fhe simulate\`, "the" went on: ${JSON.stringify(cached.continuation)}`);
    expect(card).toContain('over the whole context of 4 tokens');
    expect(card).toContain('    he-models evaluate power-stories-260k --prompt the --new-tokens 1 --compare-cache --seed 1 --fhe simulate');
  }, 120_000);

  test.each([
    ['nothing to read', []],
    ['both and one of both', ['--prompt', 'the', '--compare-cache', '--no-cache']],
    ['a card of what is not the default', ['--prompt', 'the', '--card', '--no-cache']],
  ])('refuses %s', async (_, args) => {
    await expect(report(...args)).rejects.toThrow(UsageError);
  });
});

describe('the examples of language models in the README', () => {
  /** With the tiny model in place of the shipped one, in simulation. */
  const exampleOf = async (part: string): Promise<string> => {
    const code = await readmeExample(part);
    expect(code).toContain("'power-stories-260k'");
    return code
      .replaceAll("'power-stories-260k'", JSON.stringify(join(root, 'model')))
      .replaceAll('Once upon a time', 'the')
      .replace("'execute'", "'simulate'");
  };

  test('a pipeline writes', async () => {
    const code = `${await exampleOf("pipeline('text-generation'")}; console.log(\`\\n=\${generated_text.slice(3)}\`);`;
    const [pieces, written] = (await printedBy(code)).split('\n=');
    expect(pieces).not.toBe('');
    expect(written).toBe(`${pieces}\n`);
  }, 60_000);

  test('a sequence of runs tells a piece for each token read', async () => {
    const pieces = (await printedBy(await exampleOf('session.sequence('))).split('\n');
    const { ids } = (await HeModelClient.from_pretrained(join(root, 'model'))).tokenize('the');
    expect(pieces).toHaveLength(ids.length + 1);
  }, 60_000);
});

describe('continueText', () => {
  const CONTEXT = 3;
  const VOCABULARY = 10;
  /** The successor of a token is the next number; of the last place, that is. */
  const counting = (seen: (readonly number[])[]) =>
    readWindows(CONTEXT, VOCABULARY, async (ids) => {
      seen.push(ids);
      return Float32Array.from({ length: CONTEXT * VOCABULARY }, (_, k) => {
        const row = Math.floor(k / VOCABULARY);
        return row < ids.length && k % VOCABULARY === (ids[row]! + 1) % VOCABULARY ? 1 : 0;
      });
    })();

  test('runs a model without a cache on the last tokens, and tells each new one', async () => {
    const seen: (readonly number[])[] = [];
    const told: number[] = [];
    expect(await continueText([4, 5], 3, { ...counting(seen), onToken: (token) => told.push(token) })).toEqual([6, 7, 8]);
    expect(told).toEqual([6, 7, 8]);
    expect(seen).toEqual([
      [4, 5],
      [4, 5, 6],
      [5, 6, 7],
    ]);
  });

  test('ends where another text begins', async () => {
    expect(await continueText([8], 9, counting([]))).toEqual([9, 0]);
  });
});
