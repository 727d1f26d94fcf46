import type * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { CompileOptions } from 'tfjs-he-backend';

/** Inputs `[count, ...]` with their classes: `targets` is what the loss compares scores with, one-hot `[count, classes]`, or 0 and 1 `[count, 1]`. */
export interface Dataset {
  readonly x: tf.Tensor;
  readonly targets: tf.Tensor;
  readonly labels: readonly number[];
}

/** A model that is polynomial in its input, so that it runs on encrypted inputs. */
export interface Trained {
  readonly model: LayersModel;
  /** Examples that training has not seen. */
  readonly test: Dataset;
}

export interface Example {
  readonly name: string;
  /** One line on what it shows. */
  readonly shows: string;
  readonly classes: readonly string[];
  /** What `compile` is told beside its defaults. */
  readonly options?: CompileOptions;
  /** Makes data, trains in a few seconds from fixed seeds, and says how it goes. */
  train(log: (line: string) => void): Promise<Trained>;
}

/** The class that scores mean: the highest one's, or, of a single score, whether it is positive. */
export function decide(scores: ArrayLike<number>): number {
  const list = Array.from(scores);
  return list.length === 1 ? Number((list[0] ?? 0) > 0) : list.indexOf(Math.max(...list));
}
