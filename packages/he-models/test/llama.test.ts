import { Tokenizer } from '@huggingface/tokenizers';
import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { AssetError } from '../src/errors.js';
import { parseLlamaCheckpoint } from '../src/llama/checkpoint.js';
import { llamaDecoder } from '../src/llama/decoder.js';
import { buildLlama, embedIds, setLlamaWeights } from '../src/llama/llama_model.js';
import { sampleTexts, writeText } from '../src/llama/sample.js';
import { BEGIN_TOKEN, bytePairTokenizerJson, type LlamaVocabulary, parseLlamaVocabulary } from '../src/llama/tokenizer.js';
import { seededRandom } from '../src/random.js';
import { argMax } from '../src/train/metrics.js';
import { startWasm } from '../src/train/wasm.js';
import { TINY_LLAMA, tinyLlamaBytes, tinyVocabularyBytes } from './tiny_llama.js';

beforeAll(startWasm);

const TOKENS = 6;
const VOCABULARY_BYTES = tinyVocabularyBytes();

describe('llama2.c checkpoints', () => {
  test.each([true, false])('have the sizes of their header (shared classifier: %s)', (shared) => {
    const { config, layers, embedding, classifier } = parseLlamaCheckpoint(tinyLlamaBytes({ shared }));
    expect(config).toEqual(TINY_LLAMA);
    expect(layers).toHaveLength(2);
    expect(classifier === embedding).toBe(shared);
  });

  test.each([
    ['cut off', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 4)],
    ['with more than its weights', (bytes: Uint8Array) => Uint8Array.from([...bytes, 0, 0, 0, 0])],
    ['shorter than a header', (bytes: Uint8Array) => bytes.subarray(0, 20)],
    ['of no layers', (bytes: Uint8Array) => bytes.with(8, 0)],
    ['of a size beyond any model', (bytes: Uint8Array) => bytes.with(11, 127)],
    ['of heads that do not divide the features', (bytes: Uint8Array) => bytes.with(12, 3)],
    ['of key heads that do not divide the heads', (bytes: Uint8Array) => bytes.with(16, 4)],
    ['with a weight that is not finite', (bytes: Uint8Array) => bytes.with(30, 0xc0).with(31, 0x7f)],
  ])('are refused %s', (_, damage) => {
    expect(() => parseLlamaCheckpoint(damage(tinyLlamaBytes()))).toThrow(AssetError);
  });

  test('never read beyond the file, whatever the header says', () => {
    const bytes = tinyLlamaBytes();
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 7, maxLength: 7 }), (header) => {
        const damaged = Uint8Array.from([...new Uint8Array(Int32Array.from(header).buffer), ...bytes.subarray(28, 200)]);
        expect(() => parseLlamaCheckpoint(damaged)).toThrow(AssetError);
      }),
      { seed: 3, numRuns: 50 },
    );
  });
});

describe('the tfjs model of a checkpoint', () => {
  test.each([true, false])('computes the logits of the decoder on plain arrays (shared classifier: %s)', (shared) => {
    const checkpoint = parseLlamaCheckpoint(tinyLlamaBytes({ shared }));
    const ids = [1, 262, 7, 7, 200, 33];
    const model = buildLlama({ config: checkpoint.config, tokens: TOKENS, attention: 'softmax' });
    setLlamaWeights(model, checkpoint);
    const x = tf.tensor3d(embedIds(ids, checkpoint.embedding, TINY_LLAMA.features), [1, TOKENS, TINY_LLAMA.features]);
    const logits = (model.predict(x) as tf.Tensor).dataSync();
    const decoder = llamaDecoder(checkpoint);
    const expected = ids.flatMap((id) => [...decoder.next(id)]);
    const scale = Math.max(...expected.map(Math.abs));
    expect(Math.max(...expected.map((value, k) => Math.abs(value - (logits[k] ?? Number.NaN))))).toBeLessThan(2e-6 * scale);
    x.dispose();
    model.dispose();
  });
});

describe('writing', () => {
  const checkpoint = parseLlamaCheckpoint(tinyLlamaBytes());

  test('takes the likeliest token each time without a generator', () => {
    const ids = writeText(checkpoint, 5);
    const decoder = llamaDecoder(checkpoint);
    const expected = [...ids.subarray(0, -1)].map((id) => argMax(decoder.next(id)));
    expect([...ids]).toEqual([BEGIN_TOKEN, ...expected]);
  });

  test('repeats with the seed of its generator, and with no other', () => {
    const write = (seed: number) => [...writeText(checkpoint, 12, seededRandom(seed))];
    expect(write(1)).toEqual(write(1));
    expect(write(1)).not.toEqual(write(2));
  });

  test('draws tokens as often as the model expects them', () => {
    const drawn = new Map<number, number>();
    const random = seededRandom(4);
    for (let k = 0; k < 2000; k += 1) {
      const token = writeText(checkpoint, 1, random)[1] ?? BEGIN_TOKEN;
      drawn.set(token, (drawn.get(token) ?? 0) + 1);
    }
    const logits = llamaDecoder(checkpoint).next(BEGIN_TOKEN);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    for (const [token, count] of drawn) {
      const share = Math.exp(logits[token] ?? 0) / total;
      // Five standard deviations of a binomial count.
      expect(Math.abs(count - 2000 * share)).toBeLessThan(5 * Math.sqrt(2000 * share) + 1);
    }
  });
});

describe('sampled texts', () => {
  const checkpoint = parseLlamaCheckpoint(tinyLlamaBytes());

  test('are repeated by their seed, as many as were asked for', async () => {
    const counts: number[] = [];
    const texts = await sampleTexts(checkpoint, 40, 3, (tokens) => counts.push(tokens));
    expect(counts.at(-1)).toBe(texts.reduce((sum, { length }) => sum + length, 0));
    expect(counts.at(-1)).toBeGreaterThanOrEqual(40);
    expect(counts.at(-2)).toBeLessThan(40);
    expect(await sampleTexts(checkpoint, 40, 3)).toEqual(texts);
  });

  test('end with the reason of a signal', async () => {
    const interrupt = new AbortController();
    let written = 0;
    const onText = (): void => {
      written += 1;
      if (written === 2) interrupt.abort(new Error('enough'));
    };
    await expect(sampleTexts(checkpoint, 1e9, 3, onText, interrupt.signal)).rejects.toThrow('enough');
    expect(written).toBe(2);
  });
});

/** The algorithm of llama2.c's `encode`, as written there. */
function encodeAsLlama2c(text: string, { pieces, scores }: LlamaVocabulary): number[] {
  const ids = [...` ${text}`].flatMap((character) => {
    const id = pieces.indexOf(character);
    return id === -1 ? [...new TextEncoder().encode(character)].map((byte) => byte + 3) : [id];
  });
  for (;;) {
    let best = { score: Number.NEGATIVE_INFINITY, at: -1, id: -1 };
    for (let at = 0; at + 1 < ids.length; at += 1) {
      const id = pieces.indexOf(`${pieces[ids[at]!]}${pieces[ids[at + 1]!]}`);
      if (id !== -1 && scores[id]! > best.score) best = { score: scores[id]!, at, id };
    }
    if (best.at === -1) return ids;
    ids.splice(best.at, 2, best.id);
  }
}

describe('llama2.c tokenizers', () => {
  const vocabulary = parseLlamaVocabulary(VOCABULARY_BYTES, TINY_LLAMA.vocabulary);
  const tokenizer = new Tokenizer(bytePairTokenizerJson(vocabulary), {});

  test('encode as llama2.c does', () => {
    const text = fc.array(fc.constantFrom(' ', 't', 'h', 'e', 'a', 'c', 'the', 'é', '\n'), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(text, (parts) => {
        expect([...tokenizer.encode(parts.join('')).ids]).toEqual(encodeAsLlama2c(parts.join(''), vocabulary));
      }),
      { seed: 8, numRuns: 200 },
    );
  });

  test('decode what they encoded, bytes of other scripts too', () => {
    expect(tokenizer.decode(tokenizer.encode('the cat, 猫\n').ids)).toBe('the cat, 猫\n');
  });

  test.each([
    ['cut off', VOCABULARY_BYTES.subarray(0, VOCABULARY_BYTES.length - 1), 270],
    ['of fewer pieces', VOCABULARY_BYTES, 271],
    ['of more pieces', VOCABULARY_BYTES, 269],
    ['with a piece of negative length', VOCABULARY_BYTES.with(11, 255), 270],
    ['with a piece that is no UTF-8', VOCABULARY_BYTES.with(VOCABULARY_BYTES.length - 1, 255), 270],
    ['without the specials', VOCABULARY_BYTES.with(12, 65), 270],
  ])('are refused %s', (_, bytes, pieces) => {
    expect(() => parseLlamaVocabulary(bytes, pieces)).toThrow(AssetError);
  });
});
