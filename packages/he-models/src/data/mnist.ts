import { join } from 'node:path';
import { DataError } from '../errors.js';
import { readGzip } from './gzip.js';
import { stratifiedSplit } from './stratified_split.js';

/** Examples of one classification task as numbers, all of one length. */
export interface LabelledArrays {
  /** `[count * length]`, in the data set's own units. */
  readonly values: Uint8Array | Int16Array;
  readonly length: number;
  /** Class indices `[count]`. */
  readonly labels: Int32Array;
  readonly count: number;
}

/** A training and a development part that share no source. */
export interface ArraySplit {
  readonly train: LabelledArrays;
  readonly dev: LabelledArrays;
  readonly classes: readonly string[];
}

const DIGITS: readonly string[] = Array.from({ length: 10 }, (_, digit) => String(digit));
const SIDE = 28;
const DEV_FRACTION = 0.1;
const SPLIT_SEED = 7;

/**
 * MNIST's training digits from the folder `mnist` of `directory`, or from `directory` itself (`train-images-idx3-ubyte.gz`,
 * `train-labels-idx1-ubyte.gz`): a stratified tenth of each digit is held out with a fixed seed. Pixels are 0 to 255, row by row.
 *
 * @throws DataError where a file is missing or malformed
 */
export async function mnistSplit(directory: string): Promise<ArraySplit> {
  const folders = [join(directory, 'mnist'), directory];
  const images = parseIdx(await readGzip(folders, 'train-images-idx3-ubyte.gz'), 'train-images-idx3-ubyte', 3);
  const labels = parseIdx(await readGzip(folders, 'train-labels-idx1-ubyte.gz'), 'train-labels-idx1-ubyte', 1);
  const [count = 0, height, width] = images.shape;
  if (labels.shape[0] !== count || height !== SIDE || width !== SIDE || labels.values.some((label) => label > 9)) {
    throw new DataError(`MNIST needs as many labels from 0 to 9 as images of ${SIDE} x ${SIDE}: download the files again.`, { directory });
  }
  const split = stratifiedSplit([...labels.values.keys()], (index) => String(labels.values[index]), DEV_FRACTION, SPLIT_SEED);
  const all: LabelledArrays = { values: images.values, length: SIDE * SIDE, labels: Int32Array.from(labels.values), count };
  return { train: selectArrays(all, split.train), dev: selectArrays(all, split.dev), classes: DIGITS };
}

/** The examples at `indices`, in that order. */
export function selectArrays({ values, length, labels }: LabelledArrays, indices: readonly number[]): LabelledArrays {
  const selected = values instanceof Uint8Array ? new Uint8Array(indices.length * length) : new Int16Array(indices.length * length);
  indices.forEach((index, row) => {
    selected.set(values.subarray(index * length, (index + 1) * length), row * length);
  });
  return { values: selected, length, labels: Int32Array.from(indices, (index) => labels[index] ?? 0), count: indices.length };
}

/** An IDX file of bytes (type 0x08) with `rank` big-endian dimensions. @throws DataError for anything else, and for a truncated file */
function parseIdx(bytes: Uint8Array, name: string, rank: number): { readonly shape: readonly number[]; readonly values: Uint8Array } {
  const head = 4 + 4 * rank;
  if (bytes.length < head || bytes[2] !== 8 || bytes[3] !== rank) {
    throw new DataError(`${name} is no IDX file of ${rank} dimensions: download it again.`, { file: name });
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: rank }, (_, index) => view.getUint32(4 + 4 * index));
  const expected = head + shape.reduce((product, size) => product * size, 1);
  if (bytes.length !== expected) {
    throw new DataError(`${name} has ${bytes.length} bytes instead of ${expected}: download it again.`, { file: name });
  }
  return { shape, values: bytes.subarray(head) };
}
