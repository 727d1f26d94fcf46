import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';

/** The text that the command trains on, below the folder given by `--data`. */
export const TEXT_FILE = path.join('text', 'tinyshakespeare.txt');
/** Share of the text, from its start, that is trained on; the rest is for validation. */
const TRAIN_SHARE = 0.9;

/** A text as numbers of characters. */
export interface Corpus {
  /** Its distinct characters, in the order of their code points. */
  readonly vocabulary: readonly string[];
  readonly train: Int32Array;
  readonly validation: Int32Array;
  /** SHA-256 of the text, hexadecimal. */
  readonly hash: string;
}

/** Windows of a text and, for each position, the character after it: row-major `[count, length]`. */
export interface Windows {
  readonly count: number;
  readonly length: number;
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
}

/** @throws Error naming the file where it cannot be read */
export function readCorpus(folder: string): Corpus {
  return corpusOf(readFileSync(path.join(folder, TEXT_FILE), 'utf8'));
}

/** Characters as tokens; the first 90 % are for training. */
export function corpusOf(text: string): Corpus {
  const characters = [...text];
  const vocabulary = [...new Set(characters)].sort();
  const ids = new Map(vocabulary.map((character, id) => [character, id]));
  const encoded = Int32Array.from(characters, (character) => ids.get(character) ?? 0);
  const split = Math.floor(TRAIN_SHARE * encoded.length);
  return {
    vocabulary,
    train: encoded.subarray(0, split),
    validation: encoded.subarray(split),
    hash: createHash('sha256').update(text).digest('hex'),
  };
}

/** Windows at random places. @param random uniform in [0, 1) */
export function sampleWindows(ids: Int32Array, count: number, length: number, random: () => number): Windows {
  const places = ids.length - length;
  return windowsAt(
    ids,
    Array.from({ length: count }, () => Math.floor(random() * places)),
    length,
  );
}

/** Windows spread evenly over a text. */
export function evenWindows(ids: Int32Array, count: number, length: number): Windows {
  const last = ids.length - length - 1;
  return windowsAt(
    ids,
    Array.from({ length: count }, (_, i) => Math.floor((i * last) / Math.max(1, count - 1))),
    length,
  );
}

/** @throws RangeError where a window leaves the text */
function windowsAt(ids: Int32Array, starts: readonly number[], length: number): Windows {
  const inputs = new Int32Array(starts.length * length);
  const targets = new Int32Array(starts.length * length);
  starts.forEach((start, i) => {
    if (start < 0 || start + length >= ids.length) {
      throw new RangeError(`A text of ${ids.length} characters has no window of ${length} characters at ${start}. Give a longer text.`);
    }
    inputs.set(ids.subarray(start, start + length), i * length);
    targets.set(ids.subarray(start + 1, start + length + 1), i * length);
  });
  return { count: starts.length, length, inputs, targets };
}

/** The windows `from` to `from + count`. */
export function sliceWindows({ length, inputs, targets, count: all }: Windows, from: number, count: number): Windows {
  const [start, end] = [from * length, Math.min(from + count, all) * length];
  return { count: (end - start) / length, length, inputs: inputs.subarray(start, end), targets: targets.subarray(start, end) };
}

/** The first characters of every window. @param length at most that of the windows */
export function windowStarts({ count, length: whole, inputs, targets }: Windows, length: number): Windows {
  const cut = (ids: Int32Array): Int32Array =>
    Int32Array.from({ length: count * length }, (_, k) => ids[Math.floor(k / length) * whole + (k % length)] ?? 0);
  return { count, length, inputs: cut(inputs), targets: cut(targets) };
}

/**
 * Cross-entropy, in nats per character, of the validation text under counts of the training text (each one larger): without context and
 * with the character before. A model that learns no attention cannot do better than the second.
 */
export function countEntropies({ vocabulary, train, validation }: Corpus): { readonly unigram: number; readonly bigram: number } {
  const size = vocabulary.length;
  const single = new Float64Array(size).fill(1);
  const pairs = new Float64Array(size * size).fill(1);
  train.forEach((id, i) => {
    single[id] = (single[id] ?? 0) + 1;
    if (i > 0) pairs[(train[i - 1] ?? 0) * size + id] = (pairs[(train[i - 1] ?? 0) * size + id] ?? 0) + 1;
  });
  const total = single.reduce((sum, count) => sum + count, 0);
  const rows = Array.from({ length: size }, (_, row) =>
    pairs.subarray(row * size, (row + 1) * size).reduce((sum, count) => sum + count, 0),
  );
  let [unigram, bigram] = [0, 0];
  for (let i = 1; i < validation.length; i++) {
    const [before, id] = [validation[i - 1] ?? 0, validation[i] ?? 0];
    unigram -= Math.log((single[id] ?? 0) / total);
    bigram -= Math.log((pairs[before * size + id] ?? 0) / (rows[before] ?? 1));
  }
  return { unigram: unigram / (validation.length - 1), bigram: bigram / (validation.length - 1) };
}
