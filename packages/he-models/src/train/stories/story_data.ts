import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { LlamaCheckpoint } from '../../llama/checkpoint.js';
import { writeText } from '../../llama/sample.js';
import { type RandomGenerator, seededRandom } from '../../random.js';

/**
 * Texts that a model writes at temperature 1, one after the other, each beginning with the begin token: what the model itself was trained on
 * looked like.
 *
 * @param least number of tokens; the last text is finished
 */
export function sampleStream(
  checkpoint: LlamaCheckpoint,
  least: number,
  seed: number,
  onText: (tokens: number) => void = () => {},
): Int32Array {
  const random = seededRandom(seed);
  const texts: Int32Array[] = [];
  let tokens = 0;
  while (tokens < least) {
    const text = writeText(checkpoint, checkpoint.config.maxTokens - 1, random);
    texts.push(text);
    tokens += text.length;
    onText(tokens);
  }
  return Int32Array.from(texts.flatMap((text) => [...text]));
}

/** Inputs and what follows each of them, `[count * tokens]` both. */
export interface Windows {
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
  readonly count: number;
  readonly tokens: number;
}

/** Windows at random places of a stream. */
export function randomWindows(stream: Int32Array, count: number, tokens: number, random: RandomGenerator): Windows {
  return windowsAt(
    stream,
    Array.from({ length: count }, () => uniformInt(random, 0, stream.length - tokens - 1)),
    tokens,
  );
}

/** All windows of a stream, one behind the other. */
export function consecutiveWindows(stream: Int32Array, tokens: number): Windows {
  const count = Math.floor((stream.length - 1) / tokens);
  return windowsAt(
    stream,
    Array.from({ length: count }, (_, index) => index * tokens),
    tokens,
  );
}

function windowsAt(stream: Int32Array, starts: readonly number[], tokens: number): Windows {
  const gather = (shift: number): Int32Array =>
    Int32Array.from(
      { length: starts.length * tokens },
      (_, k) => stream[(starts[Math.floor(k / tokens)] ?? 0) + (k % tokens) + shift] ?? 0,
    );
  return { inputs: gather(0), targets: gather(1), count: starts.length, tokens };
}
