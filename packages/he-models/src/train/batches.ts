import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32';
import { permutation, type RandomGenerator } from '../random.js';

/** Questions as the classifier trains on them. */
export interface EncodedQuestions {
  /** Token indices padded with 0, `[count * maxTokens]`. */
  readonly ids: Int32Array;
  /** Label indices `[count]`. */
  readonly labels: Int32Array;
  readonly count: number;
  readonly maxTokens: number;
}

/** Stacks token indices, padding each row to `maxTokens`. */
export function encodeQuestions(
  rows: readonly { readonly ids: readonly number[]; readonly label: number }[],
  maxTokens: number,
): EncodedQuestions {
  const ids = new Int32Array(rows.length * maxTokens);
  rows.forEach((row, index) => {
    ids.set(row.ids.slice(0, maxTokens), index * maxTokens);
  });
  return { ids, labels: Int32Array.from(rows, (row) => row.label), count: rows.length, maxTokens };
}

/** The questions at `indices`. */
export function selectQuestions(questions: EncodedQuestions, indices: ArrayLike<number>): EncodedQuestions {
  const { maxTokens } = questions;
  const ids = new Int32Array(indices.length * maxTokens);
  const labels = new Int32Array(indices.length);
  for (let row = 0; row < indices.length; row += 1) {
    const index = indices[row] ?? 0;
    ids.set(questions.ids.subarray(index * maxTokens, (index + 1) * maxTokens), row * maxTokens);
    labels[row] = questions.labels[index] ?? 0;
  }
  return { ids, labels, count: indices.length, maxTokens };
}

/** One epoch's batches of equal size in random order; a remainder too small for a batch is left out this time. */
export function shuffledBatches(questions: EncodedQuestions, batchSize: number, random: RandomGenerator): readonly EncodedQuestions[] {
  const order = permutation(questions.count, random);
  const size = Math.min(batchSize, questions.count);
  return Array.from({ length: Math.floor(questions.count / size) }, (_, batch) =>
    selectQuestions(questions, order.subarray(batch * size, (batch + 1) * size)),
  );
}

/** Replaces a share of the tokens by the unknown token, padding excepted. */
export function dropWords(ids: Int32Array, rate: number, unknownId: number, random: RandomGenerator): Int32Array {
  if (rate === 0) return ids;
  return ids.map((id) => (id !== 0 && uniformFloat32(random) < rate ? unknownId : id));
}
