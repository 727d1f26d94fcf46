import type { Heap } from './heap.js';
import { type LimbPool, limbAt, type Polynomial } from './limbs.js';

/** The limbs of polynomials one after the other, as they are in the arithmetic memory: for another thread of ours. */
export function toBytes(heap: Heap, degree: number, polynomials: readonly Polynomial[]): Uint8Array<ArrayBuffer> {
  const limbBytes = 8 * degree;
  const limbs = polynomials.flat();
  const bytes = new Uint8Array(limbs.length * limbBytes);
  limbs.forEach(({ at }, i) => {
    bytes.set(heap.bytes(at, limbBytes), i * limbBytes);
  });
  return bytes;
}

/** The inverse, for `count` polynomials of `limbs` limbs. @throws HeError MEMORY_BUDGET. */
export function fromBytes(heap: Heap, pool: LimbPool, bytes: Uint8Array, count: number, limbs: number): readonly Polynomial[] {
  const limbBytes = 8 * pool.degree;
  const all = pool.createPolynomial(count * limbs);
  for (let i = 0; i < all.length; i++) {
    heap.bytes(limbAt(all, i).at, limbBytes).set(bytes.subarray(i * limbBytes, (i + 1) * limbBytes));
  }
  return Array.from({ length: count }, (_, k) => all.slice(k * limbs, (k + 1) * limbs));
}
