import type { RnsCiphertext } from '../wire/seal_format.js';
import type { Heap } from './heap.js';
import type { Address, Kernels } from './kernels.js';
import { KeyStore, type StoredKey } from './key_store.js';
import { type LimbPool, limbAt, type Polynomial } from './limbs.js';
import type { SeedExpander } from './seed_expander.js';
import { galoisPermutation, type PrimeTables, tableAt } from './tables.js';

/** A key-switching key in the layout of the inner-product kernel, with the automorphism it belongs to (g = 1: relinearisation). */
export interface SwitchingKey {
  readonly stored: StoredKey;
  readonly g: number;
  /** Permutation of transformed polynomials under X -> X^g; 0 for g = 1. */
  readonly permutation: Address;
}

/** Keys as residues in the arithmetic memory, within a budget of it. */
export class SwitchingKeys {
  /** Digits of a full polynomial. */
  readonly parts: number;
  readonly #store: KeyStore;

  constructor(
    private readonly heap: Heap,
    private readonly kernels: Kernels,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly expander: SeedExpander,
    keyMemoryBytes: number,
  ) {
    this.parts = tables.length - 1;
    this.#store = new KeyStore(heap, 16 * pool.degree * this.parts * tables.length, keyMemoryBytes);
  }

  /** Bytes of one key with its permutation. */
  get keyBytes(): number {
    return this.#store.keyBytes + 4 * this.pool.degree;
  }

  /** Keys that came back into the arithmetic memory. */
  get moved(): number {
    return this.#store.moved;
  }

  /** Takes over a seeded key of the automorphism X -> X^g: one ciphertext per data prime, over all primes, whose second polynomial is there or its seed expands to. */
  load(parts: readonly RnsCiphertext[], g: number): SwitchingKey {
    const { heap, pool } = this;
    const permutation = g === 1 ? 0 : heap.allocate(4 * pool.degree);
    try {
      if (g !== 1) heap.words(permutation, pool.degree).set(galoisPermutation(pool.degree, g));
      const stored = this.#store.add((at) => {
        pool.withScratch(this.tables.length, (scratch) => {
          for (const [part, { polynomials, seed }] of parts.entries()) {
            const [first = [], second] = polynomials;
            this.#write(scratch, first);
            this.#place(at, scratch, permutation, part, 0);
            if (second === undefined) this.expander.expand(seed, scratch);
            else this.#write(scratch, second);
            this.#place(at, scratch, permutation, part, 1);
          }
        });
      });
      return { stored, g, permutation };
    } catch (error) {
      this.#freePermutation(permutation);
      throw error;
    }
  }

  release(key: SwitchingKey): void {
    this.#store.release(key.stored);
    this.#freePermutation(key.permutation);
  }

  /** Addresses of keys, in order, valid until another key is asked for. @throws HeError MEMORY_BUDGET. */
  addressesOf(keys: readonly SwitchingKey[]): Address[] {
    return this.#store.addressesOf(keys.map(({ stored }) => stored));
  }

  /** The part of a key modulo prime i, from coefficient `from` on, an even one. */
  partOf(key: Address, i: number, from = 0): Address {
    return key + 16 * this.parts * (this.pool.degree * i + from);
  }

  #write(polynomial: Polynomial, residues: readonly Float64Array[]): void {
    for (const [i, values] of residues.entries()) this.heap.doubles(limbAt(polynomial, i).at, this.pool.degree).set(values);
  }

  #place(key: Address, polynomial: Polynomial, permutation: Address, part: number, which: number): void {
    for (const [i, { at }] of polynomial.entries()) {
      const { prime } = tableAt(this.tables, i);
      this.kernels.placeKey(this.partOf(key, i), at, permutation, this.pool.degree, this.parts, part, which, prime);
    }
  }

  #freePermutation(permutation: Address): void {
    if (permutation !== 0) this.heap.free(permutation, 4 * this.pool.degree);
  }
}
