import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32';
import { type RandomGenerator, seededRandom } from '../random.js';
import { argMax } from '../train/metrics.js';
import { createTurns } from '../turns.js';
import type { LlamaCheckpoint } from './checkpoint.js';
import { llamaDecoder, softmax } from './decoder.js';
import { BEGIN_TOKEN } from './tokenizer.js';

/**
 * A text written by a model: {@link BEGIN_TOKEN} and at most `tokens` after it, up to where the model begins another text.
 *
 * @param random draws each token from the model's distribution (temperature 1); without it the likeliest token is taken
 */
export function writeText(checkpoint: LlamaCheckpoint, tokens: number, random?: RandomGenerator): Int32Array {
  const decoder = llamaDecoder(checkpoint);
  const ids = [BEGIN_TOKEN];
  let last = BEGIN_TOKEN;
  while (ids.length <= tokens) {
    const logits = decoder.next(last);
    last = random === undefined ? argMax(logits) : draw(softmax(logits), random);
    if (last === BEGIN_TOKEN) break;
    ids.push(last);
  }
  return Int32Array.from(ids);
}

/**
 * Texts that a model writes at temperature 1: what it was trained on, as it remembers it.
 *
 * @param least number of tokens in all; the last text is finished
 * @param onText called with the number of tokens so far
 * @param signal ends it between two texts
 * @throws the reason of an aborted signal
 */
export async function sampleTexts(
  checkpoint: LlamaCheckpoint,
  least: number,
  seed: number,
  onText: (tokens: number) => void = () => {},
  signal?: AbortSignal,
): Promise<readonly Int32Array[]> {
  const turn = createTurns(signal);
  const random = seededRandom(seed);
  // The first numbers of this generator are near 1 for small seeds, which would be an unlikely first word.
  for (let skipped = 0; skipped < 16; skipped += 1) random.next();
  const texts: Int32Array[] = [];
  let tokens = 0;
  while (tokens < least) {
    const text = writeText(checkpoint, checkpoint.config.maxTokens - 1, random);
    texts.push(text);
    tokens += text.length;
    onText(tokens);
    await turn();
  }
  return texts;
}

/** Index drawn with these probabilities, which sum to 1 but for rounding. */
function draw(probabilities: Float64Array, random: RandomGenerator): number {
  let left = uniformFloat32(random);
  for (let index = 0; index < probabilities.length; index += 1) {
    left -= probabilities[index] ?? 0;
    if (left < 0) return index;
  }
  return argMax(probabilities);
}
