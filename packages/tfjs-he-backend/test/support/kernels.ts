import fc from 'fast-check';
import { Heap } from '../../src/simd/heap.js';
import { loadKernels, type Variant } from '../../src/simd/kernels.js';

/** The kernels' variants that are exact on this machine. */
export async function exactVariants(): Promise<Variant[]> {
  const { variant } = await loadKernels(new Heap().memory);
  return variant === 'fused' ? ['fused', 'plain'] : ['plain'];
}

/** x mod p, in [0, p). */
export const mod = (x: bigint, p: bigint): bigint => ((x % p) + p) % p;
/** The representative of a residue nearest to 0. */
export const centre = (x: bigint, p: bigint): number => Number(x > p / 2n ? x - p : x);

/** A residue, with a liking for the ends of the range and its middle, where the bounds of the kernels are met. */
export const residue = (p: bigint) =>
  fc.oneof(fc.bigInt({ min: 0n, max: p - 1n }), fc.constantFrom(0n, 1n, p - 1n, (p - 1n) / 2n, (p + 1n) / 2n));
export const residues = (p: bigint, length: number) => fc.array(residue(p), { minLength: length, maxLength: length });
