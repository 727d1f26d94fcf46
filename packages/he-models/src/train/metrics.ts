import * as tf from '@tensorflow/tfjs-core';
import { type EncodedQuestions, selectQuestions } from './batches.js';
import type { Classifier } from './classifier.js';

const BATCH = 128;

/** Logits `[count][labels]` without dropout. */
export function classifierLogits(classifier: Classifier, questions: EncodedQuestions): readonly Float32Array[] {
  return chunks(questions.count).flatMap((indices) => tf.tidy(() => rowsOf(classifier.logits(selectQuestions(questions, indices).ids))));
}

/** Consecutive indices `0 .. count - 1` in batches. */
export function chunks(count: number): readonly (readonly number[])[] {
  return Array.from({ length: Math.ceil(count / BATCH) }, (_, chunk) =>
    Array.from({ length: Math.min(BATCH, count - chunk * BATCH) }, (_, offset) => chunk * BATCH + offset),
  );
}

/** Rows of a matrix. @param tensor `[rows, columns]` */
export function rowsOf(tensor: tf.Tensor): Float32Array[] {
  const [rows = 0, columns = 0] = tensor.shape;
  const values = Float32Array.from(tensor.dataSync());
  return Array.from({ length: rows }, (_, row) => values.slice(row * columns, (row + 1) * columns));
}

/** Index of the largest value; the first one on ties. */
export function argMax(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index += 1) if ((values[index] ?? 0) > (values[best] ?? 0)) best = index;
  return best;
}

/** Share of rows whose largest logit is the label's. */
export function accuracy(logits: readonly Float32Array[], labels: ArrayLike<number>): number {
  return logits.filter((row, index) => argMax(row) === labels[index]).length / logits.length;
}

/** How far one form's logits are from another's. */
export interface Agreement {
  /** Share of rows with the same top-1. */
  readonly sameTop1: number;
  readonly maxDifference: number;
}

export function agreement(a: readonly Float32Array[], b: readonly Float32Array[]): Agreement {
  let maxDifference = 0;
  const same = a.filter((row, index) => {
    const other = b[index] ?? new Float32Array();
    row.forEach((value, column) => {
      maxDifference = Math.max(maxDifference, Math.abs(value - (other[column] ?? 0)));
    });
    return argMax(row) === argMax(other);
  });
  return { sameTop1: same.length / a.length, maxDifference };
}

/** F1 score of each class, `2 TP / (2 TP + FP + FN)`; undefined for a class without examples. */
export function f1Scores(logits: readonly Float32Array[], labels: ArrayLike<number>, classCount: number): readonly (number | undefined)[] {
  const predicted = logits.map(argMax);
  return Array.from({ length: classCount }, (_, label) => {
    let [right, wrong, missed] = [0, 0, 0];
    predicted.forEach((guess, index) => {
      if (guess === label && labels[index] === label) right += 1;
      else if (guess === label) wrong += 1;
      else if (labels[index] === label) missed += 1;
    });
    return right + missed === 0 ? undefined : (2 * right) / (2 * right + wrong + missed);
  });
}

/** Mean F1 over the classes that have examples. */
export function macroF1(logits: readonly Float32Array[], labels: ArrayLike<number>, classCount: number): number {
  const scores = f1Scores(logits, labels, classCount).filter((score) => score !== undefined);
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}
