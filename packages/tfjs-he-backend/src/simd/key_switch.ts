import type { Parameters } from '../parameters/parameters.js';
import { galoisElement } from '../ring/galois.js';
import type { RnsCiphertext } from '../wire/seal_format.js';
import type { Heap } from './heap.js';
import type { Address, Kernels } from './kernels.js';
import { type Limb, type LimbPool, limbAt, type Polynomial } from './limbs.js';
import type { SeedExpander } from './seed_expander.js';
import { galoisPermutation, inverseOf, type PrimeTables, symmetric, tableAt } from './tables.js';
import type { TaskRunner } from './threads.js';

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
  /** The special prime modulo the data primes, centred. */
  readonly #specialResidues: readonly number[];
  /** Addresses of digits, for the kernel: a list for every prime. */
  readonly #lists: Address;

  constructor(
    parameters: Parameters,
    private readonly heap: Heap,
    private readonly kernels: Kernels,
    private readonly runner: TaskRunner,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly expander: SeedExpander,
  ) {
    this.#parts = tables.length - 1;
    this.#special = tableAt(tables, this.#parts);
    this.#specialInverses = parameters.dataPrimes.map((prime) => inverseOf(parameters.specialPrime, prime));
    this.#specialResidues = parameters.dataPrimes.map((prime) => symmetric(Number(parameters.specialPrime % prime), Number(prime)));
    this.#lists = heap.allocate(4 * tables.length ** 2);
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

  /**
   * Extended polynomials (b, a), before the automorphism of the key, with b + a s = special prime * target * s' up to noise, s' what the key replaces. One key:
   * digits as SEAL takes them, for the same residues. Several keys: the digits are computed once (hoisting), centred, which halves the noise they carry.
   */
  switch(target: Polynomial, keys: readonly SwitchingKey[]): (readonly [Polynomial, Polynomial])[] {
    const { heap, pool, runner, tables } = this;
    const { degree } = pool;
    const limbs = target.length;
    const logN = Math.log2(degree);
    // One thread does prime after prime, with the digits in the same, cached place; several need a place each.
    const places = runner.threads === 1 ? 1 : limbs + 1;
    return pool.withScratch((1 + places) * limbs, (scratch) => {
      const coefficients = scratch.slice(0, limbs);
      const single = keys.length === 1 ? keys[0] : undefined;
      runner.run(
        target.map(({ at }, j) => (kernels) => {
          const { prime, inverse } = tableAt(tables, j);
          const coefficient = limbAt(coefficients, j).at;
          kernels.inverse(coefficient, at, inverse, 8 * degree, logN, prime);
          if (single === undefined) kernels.toSymmetric(coefficient, coefficient, degree, prime);
          else if (single.g !== 1) kernels.liftFor(coefficient, coefficient, degree, single.g, prime);
        }),
      );
      const products: [Polynomial, Polynomial][] = [];
      try {
        for (const _ of keys) products.push([pool.createPolynomial(limbs + 1), pool.createPolynomial(limbs + 1)]);
        // Prime by prime, so that the digits stay in the cache while the keys pass by.
        runner.run(
          Array.from({ length: limbs + 1 }, (_, i) => (kernels) => {
            const index = i === limbs ? this.#parts : i;
            const { prime, bits, forward } = tableAt(tables, index);
            const place = 1 + (i % places);
            const list = Array.from({ length: limbs }, (_, j) => {
              if (j === i) return limbAt(target, j).at;
              const { at } = limbAt(scratch, place * limbs + j);
              kernels.forward(at, limbAt(coefficients, j).at, forward, 8 * degree, logN, prime);
              return at;
            });
            const addresses = this.#lists + 4 * tables.length * i;
            heap.words(addresses, limbs).set(list);
            keys.forEach((key, r) => {
              const [dst0, dst1] = (products[r] ?? []).map((product) => limbAt(product, i).at);
              kernels.innerProducts(dst0 ?? 0, dst1 ?? 0, addresses, limbs, this.#keyOf(key.at, index), this.#parts, degree, bits, prime);
            });
          }),
        );
        return products;
      } catch (error) {
        for (const product of products.flat()) pool.release(product);
        throw error;
      }
    });
  }

  /** In place: product + special prime * polynomial. */
  addTimesSpecial(product: Polynomial, polynomial: Polynomial): void {
    this.runner.run(
      polynomial.map(({ at }, j) => (kernels) => {
        const { prime } = tableAt(this.tables, j);
        const dst = limbAt(product, j).at;
        kernels.addScaled(dst, dst, at, this.pool.degree, this.#specialResidues[j] ?? 0, prime);
      }),
    );
  }

  /** In place: product + other, both extended. */
  addExtended(product: Polynomial, other: Polynomial): void {
    this.runner.run(
      product.map(({ at }, j) => (kernels) => {
        const { prime } = tableAt(this.tables, j < product.length - 1 ? j : this.#parts);
        kernels.add(at, at, limbAt(other, j).at, this.pool.degree, prime);
      }),
    );
  }

  /** X -> X^g of a transformed polynomial, g that of the key. */
  permuted(polynomial: Polynomial, key: SwitchingKey): Polynomial {
    const made = this.pool.createPolynomial(polynomial.length);
    this.runner.run(
      polynomial.map(
        ({ at }, i) =>
          (kernels) =>
            kernels.permute(limbAt(made, i).at, at, key.permutation, this.pool.degree),
      ),
    );
    return made;
  }

  /** round(product / special prime) + addend: the last limb is the residue modulo the special prime. */
  divideBySpecial(product: Polynomial, addend: Polynomial | undefined): Polynomial {
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
    const { kernels, pool, runner, tables } = this;
    const { degree } = pool;
    const logN = Math.log2(degree);
    const places = runner.threads === 1 ? 1 : product.length;
    return pool.withScratch(1 + places, (scratch) => {
      const remainder = limbAt(scratch, 0).at;
      kernels.inverse(remainder, last.at, inverse, 8 * degree, logN, q);
      kernels.toSymmetric(remainder, remainder, degree, q);
      const made = pool.createPolynomial(product.length);
      runner.run(
        product.map(({ at }, j) => (parallel) => {
          const { prime, forward } = tableAt(tables, j);
          const lifted = limbAt(scratch, 1 + (j % places)).at;
          const dst = limbAt(made, j).at;
          const factor = inverses[j] ?? 0;
          parallel.forward(lifted, remainder, forward, 8 * degree, logN, prime);
          if (addend === undefined) parallel.subtractScale(dst, at, lifted, degree, factor, prime);
          else parallel.subtractScaleAdd(dst, at, lifted, limbAt(addend, j).at, degree, factor, prime);
        }),
      );
      return made;
    });
  }
}
