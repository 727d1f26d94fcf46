import { HeError } from '../errors.js';

/** Most ciphertexts of one tensor. */
export const MAX_CIPHERTEXTS = 64;

/** Where the elements of a tensor live in one or several slot vectors. */
export interface TensorLayout {
  readonly name: string;
  readonly shape: readonly number[];
  /** Slot vectors (ciphertexts) the tensor takes. */
  readonly ciphertexts: number;
  /**
   * Element index (row-major) -> ciphertext * slots + slot. Outputs may leave slots unnamed; elements must have distinct places,
   * modulo `period`.
   */
  readonly slotOf: readonly number[];
  /** Contents repeat with this period (divides slots; slots itself = no repetition); every slotOf is below it, within its ciphertext. */
  readonly period: number;
  /** Of an input: every element lies there again so many slots further on, for each entry, the first of which is 0 (default: [0]). */
  readonly copies?: readonly number[];
}

const ONE_COPY: readonly number[] = [0];

/** Elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

/** Tensor values (row-major) -> slot vectors, unnamed slots zero. */
export function pack(values: ArrayLike<number>, layout: TensorLayout, slots: number): Float64Array[] {
  if (values.length !== layout.slotOf.length) {
    throw new HeError('ENCODE_INVALID', `tensor ${layout.name} has ${values.length} values, its layout ${layout.slotOf.length}`, {
      op: 'pack',
      hint: `Give a tensor of shape [${layout.shape.join(', ')}].`,
    });
  }
  const { copies = ONE_COPY } = layout;
  const vectors = Array.from({ length: layout.ciphertexts }, () => new Float64Array(slots));
  layout.slotOf.forEach((place, element) => {
    const vector = vectors[Math.floor(place / slots)];
    const value = values[element] ?? 0;
    if (vector === undefined) return;
    for (const copy of copies) for (let slot = (place % slots) + copy; slot < slots; slot += layout.period) vector[slot] = value;
  });
  return vectors;
}

/** Slot vectors -> tensor values, row-major. */
export function unpack(vectors: readonly Float64Array[], layout: TensorLayout, slots: number): Float32Array {
  if (vectors.length !== layout.ciphertexts) {
    throw new HeError('ENCODE_INVALID', `tensor ${layout.name} needs ${layout.ciphertexts} slot vectors, got ${vectors.length}`, {
      op: 'unpack',
      hint: 'Pass all ciphertexts of the output, in order.',
    });
  }
  return Float32Array.from(layout.slotOf, (place) => vectors[Math.floor(place / slots)]?.[place % slots] ?? 0);
}
