import type { Parameters } from '../parameters/parameters.js';
import type { MaskSeed } from '../ring/mask.js';
import type { Ledger } from './ledger.js';

export type { MaskSeed } from '../ring/mask.js';

export type EngineName = 'empty' | 'mock' | 'seal' | 'simd';

/** A copy of a plaintext outside of an engine's memory. */
export interface StoredPlaintext<P> {
  readonly bytes: number;
  /** The plaintext again; of the engines that share a runtime with the one it came from. @throws HeError MEMORY_BUDGET. */
  restore(): P;
}

/** A ciphertext on its way between engines of the same kind. */
export interface PortableCiphertext {
  readonly bytes: Uint8Array;
  readonly level: number;
  readonly scale: number;
}

export interface CiphertextInfo {
  /** Residues minus one; fresh = parameters.maxLevel. */
  readonly level: number;
  readonly scale: number;
  /** Polynomials: 2, or 3 between multiply and relinearize. */
  readonly size: number;
}

/**
 * Public arithmetic on ciphertexts `C` and encoded plaintexts `P`; no secret key, no decryption. All engines obey the same rules:
 *
 * - add/sub/addPlain/multiply need equal levels; add/sub/addPlain also equal scales. Nothing is aligned silently.
 * - The scale of a product is the product of the scales, and must stay below the modulus of its level.
 * - Results are new handles the caller disposes of; `...InPlace` and `accumulate...` change their first argument.
 *
 * Every method throws HeError with op, level and scale: LEVEL_MISMATCH, SCALE_MISMATCH, SCALE_OUT_OF_BOUNDS, CHAIN_EXHAUSTED,
 * SIZE_UNSUPPORTED, MISSING_GALOIS_KEY, TRANSPARENT_CIPHERTEXT, HANDLE_RELEASED; mock also VALUE_OVERFLOW.
 */
export interface Engine<C, P> {
  readonly name: EngineName;
  readonly parameters: Parameters;
  readonly ledger: Ledger;
  /** Whether rotateMany() is faster than single rotations. */
  readonly hoists: boolean;

  /** `values` has length = slots, all finite; scale is free (a product's scale minus the ciphertext's, usually). */
  encode(values: Float64Array, level: number, scale: number): P;

  /** Memory that a plaintext takes, in bytes. */
  plainBytes(p: P): number;
  /** Copies a plaintext out of the engine's memory, where that is faster to undo than to encode again; else undefined. */
  storePlain(p: P): StoredPlaintext<P> | undefined;

  info(c: C): CiphertextInfo;
  clone(c: C): C;
  add(a: C, b: C): C;
  sub(a: C, b: C): C;
  negate(a: C): C;
  addPlain(a: C, p: P): C;
  multiplyPlain(a: C, p: P): C;
  /** Size 3; operands have size 2. */
  multiply(a: C, b: C): C;
  /** Size 3, cheaper than multiply(a, a). */
  square(a: C): C;

  /** Size 3 -> 2. */
  relinearize(a: C): C;
  /**
   * Divides by q_level and drops it. `exactScale` (usually parameters.levelScale(level - 1)) replaces the quotient scale / q_level,
   * from which it may differ by rounding only (relative 1e-9), else SCALE_MISMATCH.
   */
  rescale(a: C, exactScale: number): C;
  /** Drops primes down to `level`; scale unchanged. Equal level: a copy. */
  modSwitchTo(a: C, level: number): C;
  /** out[s] = in[(s + steps) mod slots], one key switch; needs the Galois key of `steps`. */
  rotate(a: C, steps: number): C;
  /** The complex conjugates of all slots, one key switch; needs the Galois key of step 0 (element 2N - 1). */
  conjugate(a: C): C;
  /**
   * Rotations of one ciphertext, in the order of `steps`; needs their Galois keys. An engine may share work between them (simd decomposes the ciphertext
   * once), so the results may differ from those of rotate() by rounding noise.
   */
  rotateMany(a: C, steps: readonly number[]): C[];

  /** acc += b. */
  addInPlace(acc: C, b: C): void;
  subInPlace(acc: C, b: C): void;
  addPlainInPlace(acc: C, p: P): void;
  /** acc += a * p, without a handle for the product. */
  accumulateProductPlain(acc: C, a: C, p: P): void;
  /** acc += a * b, all of size 3 after the product: acc comes from multiply(). */
  accumulateProduct(acc: C, a: C, b: C): void;
  relinearizeInPlace(a: C): void;
  rescaleInPlace(a: C, exactScale: number): void;
  modSwitchToInPlace(a: C, level: number): void;

  /** At refreshLevel: adds the integer polynomial derived from `seed` (size 2, canonical scale). */
  mask(c: C, seed: MaskSeed): C;
  /** At maxLevel: subtracts it again. */
  unmask(c: C, seed: MaskSeed): C;

  /** Reads a frame that must hold a ciphertext at `level` (default maxLevel); canonical scale, size 2. Throws HeError WIRE_*. */
  load(bytes: Uint8Array, level?: number): C;
  /** Wire form of a size-2 ciphertext at its canonical scale. */
  save(c: C): Uint8Array;
  /** A size-2 ciphertext at any level and scale, for another engine of the same kind and parameters in another thread of ours. */
  toPortable(c: C): PortableCiphertext;
  /** Only for what toPortable() of our own threads gave: an engine may take it unchecked. */
  fromPortable(portable: PortableCiphertext): C;

  /** Releases a handle; a second time is HANDLE_RELEASED. */
  dispose(c: C): void;
  disposePlain(p: P): void;
  /** Releases what the engine itself holds (keys, scratch); ciphertexts and plaintexts are the caller's. */
  close(): void;
}
