import type { Parameters } from '../parameters/parameters.js';
import { galoisElement } from '../ring/galois.js';
import type { RnsCiphertext } from '../wire/seal_format.js';
import type { Heap } from './heap.js';
import type { Address, Kernels } from './kernels.js';
import type { Limb, LimbPool, Polynomial } from './limbs.js';
import type { SeedExpander } from './seed_expander.js';
import { galoisPermutation, inverseOf, type PrimeTables } from './tables.js';

/** A key-switching key in the layout of the inner-product kernel, with the automorphism it belongs to (g = 1: relinearisation). */
export interface SwitchingKey {
  readonly at: Address;
  readonly g: number;
  /** Permutation of transformed polynomials under X -> X^g; 0 for g = 1. */
  readonly permutation: Address;
}

/**
 * SEAL's hybrid key switching: digits are the residues modulo single primes, one special prime is divided out. The automorphism of a rotation is applied
 * last, to the result; digits are lifted with the signs that they would have after it, so the result is SEAL's bit for bit.
 */
export class KeySwitcher {
  readonly #special: PrimeTables;
  readonly #parts: number;
  /** 1 / special prime, by data prime. */
  readonly #specialInverses: readonly number[];
  /** Addresses of digits, for the kernel. */
  readonly #list: Address;

  constructor(
    parameters: Parameters,
    private readonly heap: Heap,
    private readonly kernels: Kernels,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly expander: SeedExpander,
  ) {
    this.#parts = tables.length - 1;
    this.#special = tableAt(tables, this.#parts);
    this.#specialInverses = parameters.dataPrimes.map((prime) => inverseOf(parameters.specialPrime, prime));
    this.#list = heap.allocate(4 * tables.length);
  }

  /** Bytes of one key with its permutation. */
  get keyBytes(): number {
    return this.#keySize + 4 * this.pool.degree;
  }

  get #keySize(): number {
    return 16 * this.pool.degree * this.#parts * this.tables.length;
  }

  /** Takes over a seeded key: one ciphertext per data prime, over all primes, whose second polynomial its seed expands to. */
  load(parts: readonly RnsCiphertext[], steps: number): SwitchingKey {
    const { heap, pool } = this;
    const g = galoisElement(steps, pool.degree);
    const at = heap.allocate(this.#keySize);
    let permutation = 0;
    try {
      if (g !== 1) {
        permutation = heap.allocate(4 * pool.degree);
        heap.words(permutation, pool.degree).set(galoisPermutation(pool.degree, g));
      }
      pool.withScratch(this.tables.length, (scratch) => {
        for (const [part, { polynomials, seed }] of parts.entries()) {
          polynomials[0]?.forEach((residues, i) => {
            const limb = limbAt(scratch, i);
            heap.doubles(limb.at, pool.degree).set(residues);
          });
          this.#place(at, scratch, permutation, part, 0);
          this.expander.expand(seed, scratch);
          this.#place(at, scratch, permutation, part, 1);
        }
      });
      return { at, g, permutation };
    } catch (error) {
      this.release({ at, g, permutation });
      throw error;
    }
  }

  release(key: SwitchingKey): void {
    this.heap.free(key.at, this.#keySize);
    if (key.permutation !== 0) this.heap.free(key.permutation, 4 * this.pool.degree);
  }

  #place(key: Address, polynomial: Polynomial, permutation: Address, part: number, which: number): void {
    const { degree } = this.pool;
    polynomial.forEach(({ at }, i) => {
      const { prime } = tableAt(this.tables, i);
      this.kernels.placeKey(this.#keyOf(key, i), at, permutation, degree, this.#parts, part, which, prime);
    });
  }

  /** The part of a key modulo prime i. */
  #keyOf(key: Address, i: number): Address {
    return key + 16 * this.pool.degree * this.#parts * i;
  }

  /** X -> X^g on a transformed limb. */
  permuted({ at }: Limb, key: SwitchingKey): Limb {
    const limb = this.pool.create();
    this.kernels.permute(limb.at, at, key.permutation, this.pool.degree);
    return limb;
  }

  /**
   * (b, a) with b + a s = target * s' up to noise, s' what the key replaces, before the automorphism; plus `addends` (nothing where undefined).
   */
  switch(target: Polynomial, key: SwitchingKey, addends: readonly (Polynomial | undefined)[]): readonly Polynomial[] {
    const { kernels, pool, tables } = this;
    const { degree } = pool;
    const limbs = target.length;
    const logN = Math.log2(degree);
    return pool.withScratch(2 * limbs, (scratch) => {
      const coefficients = scratch.slice(0, limbs);
      const digits = scratch.slice(limbs);
      target.forEach(({ at }, j) => {
        const { prime, inverse } = tableAt(tables, j);
        const coefficient = limbAt(coefficients, j).at;
        kernels.inverse(coefficient, at, inverse, 8 * degree, logN, prime);
        if (key.g !== 1) kernels.liftFor(coefficient, coefficient, degree, key.g, prime);
      });
      const products = [pool.createPolynomial(limbs + 1), pool.createPolynomial(limbs + 1)] as const;
      try {
        for (let i = 0; i <= limbs; i++) {
          const index = i === limbs ? this.#parts : i;
          const { prime, bits, forward } = tableAt(tables, index);
          const list = digits.map(({ at }, j) => {
            if (j === i) return limbAt(target, j).at;
            kernels.forward(at, limbAt(coefficients, j).at, forward, 8 * degree, logN, prime);
            return at;
          });
          this.heap.words(this.#list, limbs).set(list);
          const [dst0, dst1] = [limbAt(products[0], i).at, limbAt(products[1], i).at];
          kernels.innerProducts(dst0, dst1, this.#list, limbs, this.#keyOf(key.at, index), this.#parts, degree, bits, prime);
        }
        return products.map((product, k) => this.#divideBySpecial(product, addends[k]));
      } finally {
        for (const product of products) pool.release(product);
      }
    });
  }

  /** round(product / special prime) + addend: the last limb is the residue modulo the special prime. */
  #divideBySpecial(product: Polynomial, addend: Polynomial | undefined): Polynomial {
    const limbs = product.length - 1;
    return this.divideByLast(product.slice(0, limbs), limbAt(product, limbs), this.#special, this.#specialInverses, addend);
  }

  /**
   * round(x / q) + addend for x given modulo some primes and modulo q (`last`); `inverses` are those of q. New limbs.
   */
  divideByLast(
    product: Polynomial,
    last: Limb,
    { prime: q, inverse }: PrimeTables,
    inverses: readonly number[],
    addend: Polynomial | undefined,
  ): Polynomial {
    const { kernels, pool, tables } = this;
    const { degree } = pool;
    const logN = Math.log2(degree);
    return pool.withScratch(2, (scratch) => {
      const [remainder, lifted] = [limbAt(scratch, 0).at, limbAt(scratch, 1).at];
      kernels.inverse(remainder, last.at, inverse, 8 * degree, logN, q);
      kernels.toSymmetric(remainder, remainder, degree, q);
      return product.map(({ at }, j) => {
        const { prime, forward } = tableAt(tables, j);
        const limb = pool.create();
        const factor = inverses[j] ?? 0;
        kernels.forward(lifted, remainder, forward, 8 * degree, logN, prime);
        if (addend === undefined) kernels.subtractScale(limb.at, at, lifted, degree, factor, prime);
        else kernels.subtractScaleAdd(limb.at, at, lifted, limbAt(addend, j).at, degree, factor, prime);
        return limb;
      });
    });
  }
}

export function tableAt(tables: readonly PrimeTables[], index: number): PrimeTables {
  const table = tables[index];
  if (table === undefined) throw new RangeError(`no prime ${index}`);
  return table;
}

export function limbAt(polynomial: Polynomial, index: number): Limb {
  const limb = polynomial[index];
  if (limb === undefined) throw new RangeError(`no limb ${index}`);
  return limb;
}
