import * as tf from '@tensorflow/tfjs-core';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { LlamaCheckpoint } from '../../llama/checkpoint.js';
import { embedIds } from '../../llama/llama_model.js';
import type { RandomGenerator } from '../../random.js';

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

/** What a model is given for windows: `[count, tokens, features]`. @param embedding `[vocabulary, features]` */
export function embedWindows({ inputs, count, tokens }: Windows, { embedding, config }: LlamaCheckpoint): tf.Tensor3D {
  return tf.tensor3d(embedIds(inputs, embedding, config.features), [count, tokens, config.features]);
}

/** Windows `from` to `to` of several. */
export function selectWindows({ inputs, targets, tokens, count }: Windows, from: number, to: number): Windows {
  const end = Math.min(to, count);
  return {
    inputs: inputs.subarray(from * tokens, end * tokens),
    targets: targets.subarray(from * tokens, end * tokens),
    count: end - from,
    tokens,
  };
}

/** All windows of a stream, in batches that fit memory. */
export function evaluationBatches(stream: Int32Array, tokens: number): readonly Windows[] {
  const all = consecutiveWindows(stream, tokens);
  return Array.from({ length: Math.ceil(all.count / EVALUATION_BATCH) }, (_, batch) =>
    selectWindows(all, batch * EVALUATION_BATCH, (batch + 1) * EVALUATION_BATCH),
  );
}

const EVALUATION_BATCH = 50;
