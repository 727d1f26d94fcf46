import type { EngineName, MaskSeed, StoredPlaintext } from './engine.js';

/** Level, scale and size of the result of an operation. */
export interface Target {
  readonly level: number;
  readonly scale: number;
  readonly size: number;
}

/**
 * What an engine must supply: arithmetic in place on its own objects, unchecked. `to` is what the first argument becomes. Every rule about
 * levels, scales, sizes and handles is in checked_engine.ts.
 */
export interface Arithmetic<V, W> {
  readonly name: EngineName;
  ciphertextBytes(level: number, size: number): number;
  plaintextBytes(level: number, plaintext: W): number;
  encode(values: Float64Array, level: number, scale: number): W;
  /** Without it, encoding again is as fast. */
  storePlain?(plaintext: W): StoredPlaintext<W>;
  clone(a: V): V;
  add(acc: V, b: V, to: Target): void;
  sub(acc: V, b: V, to: Target): void;
  negate(a: V, to: Target): void;
  addPlain(acc: V, p: W, to: Target): void;
  multiplyPlain(a: V, p: W, to: Target): void;
  /** acc += a * p. */
  accumulateProductPlain(acc: V, a: V, p: W, to: Target): void;
  multiply(a: V, b: V, to: Target): void;
  /** acc += a * b, of size 3; without it, the product is made and added. */
  accumulateProduct?(acc: V, a: V, b: V, to: Target): void;
  square(a: V, to: Target): void;
  relinearize(a: V, to: Target): void;
  rescale(a: V, to: Target): void;
  modSwitch(a: V, to: Target): void;
  /** Step 0 is conjugation. */
  hasGaloisKey(steps: number): boolean;
  rotate(a: V, steps: number, to: Target): void;
  conjugate(a: V, to: Target): void;
  /** Rotations of one ciphertext together; without it, one by one. */
  rotateMany?(a: V, steps: readonly number[], to: Target): V[];
  addMask(a: V, seed: MaskSeed, to: Target): void;
  subtractMask(a: V, seed: MaskSeed, to: Target): void;
  load(bytes: Uint8Array, to: Target): V;
  save(a: V, to: Target): Uint8Array;
  /** For another thread of ours, faster than save and load; without them, those serve. */
  toBytes?(a: V): Uint8Array;
  fromBytes?(bytes: Uint8Array, to: Target): V;
  free(a: V): void;
  freePlain(p: W): void;
  close(): void;
}

/** Called once per operation with its name and the level of its first operand. */
export type OpObserver = (op: string, level: number) => void;
