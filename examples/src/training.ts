import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { type Dataset, decide } from './example.ts';

/** Seeded, so that every run has the same weights; decaying, because squares grow fast and encrypted values need a known bound. */
export function weights(seed: number) {
  return { kernelInitializer: tfl.initializers.glorotUniform({ seed }), kernelRegularizer: tfl.regularizers.l2({ l2: 0.002 }) };
}

/** x * x, the activation that encrypted arithmetic has: one product. */
export function square(x: tfl.SymbolicTensor, name: string): tfl.SymbolicTensor {
  return tfl.layers.multiply({ name }).apply([x, x]) as tfl.SymbolicTensor;
}

export function oneHot(labels: readonly number[], classes: number): tf.Tensor {
  return tf.cast(tf.oneHot(tf.tensor1d([...labels], 'int32'), classes), 'float32');
}

export interface FitOptions {
  readonly epochs: number;
  readonly optimizer: tf.Optimizer;
  readonly log: (line: string) => void;
}

/** Trains a model whose outputs are scores before softmax (or, of a single output, before the sigmoid), and says how good it is. */
export async function fit(model: tfl.LayersModel, train: Dataset, test: Dataset, { epochs, optimizer, log }: FitOptions): Promise<void> {
  const loss = (targets: tf.Tensor, scores: tf.Tensor): tf.Tensor =>
    scores.shape.at(-1) === 1 ? tf.losses.sigmoidCrossEntropy(targets, scores) : tf.losses.softmaxCrossEntropy(targets, scores);
  model.compile({ optimizer, loss });
  const { history } = await model.fit(train.x, train.targets, { epochs, batchSize: 32, shuffle: false, verbose: 0 });
  const losses = (history.loss ?? []).map(Number);
  log(`trained ${epochs} epochs of ${train.labels.length} examples: loss ${losses.at(0)?.toFixed(3)} to ${losses.at(-1)?.toFixed(3)}`);
  log(`accuracy on ${test.labels.length} others: ${(100 * accuracy(model, test)).toFixed(1)} %`);
}

/** Share of a data set's examples that a model classifies right. */
export function accuracy(model: tfl.LayersModel, { x, labels }: Dataset): number {
  return tf.tidy(() => {
    const scores = (model.predict(x) as tf.Tensor2D).arraySync();
    return scores.filter((row, i) => decide(row) === labels[i]).length / labels.length;
  });
}
