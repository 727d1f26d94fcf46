import { describe, expect, test } from '@jest/globals';
import { f1Scores, macroF1 } from '../src/train/metrics.js';

const guess = (label: number): Float32Array => Float32Array.from({ length: 4 }, (_, k) => (k === label ? 1 : 0));

describe('F1', () => {
  // Class 0: 2 of 3 found, 1 false alarm; class 1: 1 of 2 found, 1 false alarm; class 2: its only example missed; class 3: none.
  const logits = [0, 0, 1, 1, 0, 3].map(guess);
  const labels = [0, 0, 0, 1, 1, 2];

  test('is 2 TP / (2 TP + FP + FN), and undefined without examples', () => {
    expect(f1Scores(logits, labels, 4)).toEqual([4 / 6, 2 / 4, 0, undefined]);
  });

  test('is averaged over the classes that have examples', () => {
    expect(macroF1(logits, labels, 4)).toBeCloseTo((4 / 6 + 2 / 4) / 3, 12);
  });
});
