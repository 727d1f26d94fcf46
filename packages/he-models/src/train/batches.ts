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

/**
 * One epoch's batches in random order, each of questions that one of `lengths` (ascending) is enough for, and cut to it. What remains of a length and
 * is too small for a batch is left out this time, so that every epoch has {@link cutBatchCount} batches.
 */
export function cutBatches(
  questions: EncodedQuestions,
  batchSize: number,
  lengths: readonly number[],
  random: RandomGenerator,
): readonly EncodedQuestions[] {
  const batches = byLength(questions, lengths).flatMap((group) =>
    group.count < batchSize ? [] : shuffledBatches(group, batchSize, random),
  );
  return Array.from(permutation(batches.length, random)).flatMap((index) => batches[index] ?? []);
}

/** Batches of an epoch of {@link cutBatches}. */
export function cutBatchCount(questions: EncodedQuestions, batchSize: number, lengths: readonly number[]): number {
  return byLength(questions, lengths).reduce((sum, { count }) => sum + Math.floor(count / batchSize), 0);
}

function byLength(questions: EncodedQuestions, lengths: readonly number[]): readonly EncodedQuestions[] {
  const groups = lengths.map((): number[] => []);
  for (let row = 0; row < questions.count; row += 1) {
    const length = tokensOf(questions, row);
    groups[lengths.findIndex((most) => length <= most)]?.push(row);
  }
  return groups.map((rows, group) => cutTo(selectQuestions(questions, rows), lengths[group] ?? questions.maxTokens));
}

/** Tokens of a question without its padding. */
export function tokensOf({ ids, maxTokens }: EncodedQuestions, row: number): number {
  const length = ids.subarray(row * maxTokens, (row + 1) * maxTokens).indexOf(0);
  return length === -1 ? maxTokens : length;
}

function cutTo({ ids, labels, count, maxTokens }: EncodedQuestions, length: number): EncodedQuestions {
  const cut = new Int32Array(count * length);
  for (let row = 0; row < count; row += 1) cut.set(ids.subarray(row * maxTokens, row * maxTokens + length), row * length);
  return { ids: cut, labels, count, maxTokens: length };
}

/** Replaces a share of the tokens by the unknown token, padding excepted. */
export function dropWords(ids: Int32Array, rate: number, unknownId: number, random: RandomGenerator): Int32Array {
  if (rate === 0) return ids;
  return ids.map((id) => (id !== 0 && uniformFloat32(random) < rate ? unknownId : id));
}
