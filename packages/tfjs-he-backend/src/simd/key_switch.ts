import type { Parameters } from '../parameters/parameters.js';
import type { RnsCiphertext } from '../wire/seal_format.js';
import type { Heap } from './heap.js';
import type { Address, Kernels } from './kernels.js';
import { KeyStore, type StoredKey } from './key_store.js';
import { type Limb, type LimbPool, limbAt, type Polynomial } from './limbs.js';
import type { SeedExpander } from './seed_expander.js';
import { galoisPermutation, inverseOf, type PrimeTables, symmetric, tableAt } from './tables.js';
import type { TaskKernels, TaskRunner } from './threads.js';

/** Keys whose inner products are computed together: as many as share the digits from the cache and leave their results there. */
const KEYS_AT_ONCE = 4;

/** A key-switching key in the layout of the inner-product kernel, with the automorphism it belongs to (g = 1: relinearisation). */
export interface SwitchingKey {
  readonly stored: StoredKey;
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
  readonly #store: KeyStore;

  constructor(
    parameters: Parameters,
    private readonly heap: Heap,
    private readonly kernels: Kernels,
    private readonly runner: TaskRunner,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly expander: SeedExpander,
    keyMemoryBytes: number,
  ) {
    this.#parts = tables.length - 1;
    this.#special = tableAt(tables, this.#parts);
    this.#specialInverses = parameters.dataPrimes.map((prime) => inverseOf(parameters.specialPrime, prime));
    this.#specialResidues = parameters.dataPrimes.map((prime) => symmetric(Number(parameters.specialPrime % prime), Number(prime)));
    this.#lists = heap.allocate(4 * tables.length ** 2);
    this.#store = new KeyStore(heap, 16 * pool.degree * this.#parts * tables.length, keyMemoryBytes);
  }

  /** Bytes of one key with its permutation. */
  get keyBytes(): number {
    return this.#store.keyBytes + 4 * this.pool.degree;
  }

  /** Keys that came back into the arithmetic memory. */
  get movedKeys(): number {
    return this.#store.moved;
  }

  /** Takes over a seeded key of the automorphism X -> X^g: one ciphertext per data prime, over all primes, whose second polynomial its seed expands to. */
  load(parts: readonly RnsCiphertext[], g: number): SwitchingKey {
    const { heap, pool } = this;
    const permutation = g === 1 ? 0 : heap.allocate(4 * pool.degree);
    try {
      if (g !== 1) heap.words(permutation, pool.degree).set(galoisPermutation(pool.degree, g));
      const stored = this.#store.add((at) => {
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

  #freePermutation(permutation: Address): void {
    if (permutation !== 0) this.heap.free(permutation, 4 * this.pool.degree);
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
   * For every key, in order, gives `use` extended polynomials (b, a), before the automorphism of the key, with b + a s = special prime * target * s' up to noise,
   * s' what the key replaces. They may be changed, and are released afterwards. One key: digits as SEAL takes them, for the same residues. Several keys: the digits are
   * computed once (hoisting), centred, which halves the noise they carry.
   */
  switch(
    target: Polynomial,
    keys: readonly SwitchingKey[],
    use: (switched: readonly [Polynomial, Polynomial], index: number) => void,
  ): void {
    const { pool } = this;
    const limbs = target.length;
    // One key: prime after prime, with the digits in the same, cached place. Threads, and keys that come later, need them all.
    const places = this.runner.threads === 1 && keys.length === 1 ? 1 : limbs + 1;
    pool.withScratch((1 + places) * limbs, (scratch) => {
      const digits = (i: number): Polynomial => scratch.slice((1 + (i % places)) * limbs, (2 + (i % places)) * limbs);
      this.#decompose(target, scratch.slice(0, limbs), keys.length === 1 ? keys[0] : undefined);
      for (let first = 0; first < keys.length; first += KEYS_AT_ONCE) {
        const group = keys.slice(first, first + KEYS_AT_ONCE);
        const addresses = this.#store.addressesOf(group.map(({ stored }) => stored));
        pool.withScratch(2 * (limbs + 1) * group.length, (products) => {
          const product = (r: number, k: number): Polynomial => products.slice((2 * r + k) * (limbs + 1), (2 * r + k + 1) * (limbs + 1));
          this.runner.run(
            Array.from({ length: limbs + 1 }, (_, i) => (kernels) => {
              if (first === 0) this.#transformDigits(kernels, scratch, digits(i), target, i);
              this.#multiplyKeys(kernels, digits(i), target, i, addresses, product);
            }),
          );
          for (let r = 0; r < group.length; r++) use([product(r, 0), product(r, 1)], first + r);
        });
      }
    });
  }

  /** Coefficients of the residues modulo single primes: as SEAL takes them for one key, centred for several. */
  #decompose(target: Polynomial, coefficients: Polynomial, single: SwitchingKey | undefined): void {
    const { degree } = this.pool;
    this.runner.run(
      target.map(({ at }, j) => (kernels) => {
        const { prime, inverse } = tableAt(this.tables, j);
        const coefficient = limbAt(coefficients, j).at;
        kernels.inverse(coefficient, at, inverse, 8 * degree, Math.log2(degree), prime);
        if (single === undefined) kernels.toSymmetric(coefficient, coefficient, degree, prime);
        else if (single.g !== 1) kernels.liftFor(coefficient, coefficient, degree, single.g, prime);
      }),
    );
  }

  /** The digits modulo the prime of limb i; digit i itself is the target's limb. */
  #transformDigits(kernels: TaskKernels, coefficients: Polynomial, digits: Polynomial, target: Polynomial, i: number): void {
    const { degree } = this.pool;
    const { prime, forward } = this.#tableOf(i, target.length);
    for (let j = 0; j < target.length; j++) {
      if (j !== i) kernels.forward(limbAt(digits, j).at, limbAt(coefficients, j).at, forward, 8 * degree, Math.log2(degree), prime);
    }
  }

  /** Limb i of the inner products with keys. */
  #multiplyKeys(
    kernels: TaskKernels,
    digits: Polynomial,
    target: Polynomial,
    i: number,
    keys: readonly Address[],
    product: (r: number, k: number) => Polynomial,
  ): void {
    const { heap, tables } = this;
    const { degree } = this.pool;
    const limbs = target.length;
    const index = i === limbs ? this.#parts : i;
    const { prime, bits } = this.#tableOf(i, limbs);
    const list = this.#lists + 4 * tables.length * i;
    heap.words(list, limbs).set(digits.map(({ at }, j) => (j === i ? limbAt(target, j).at : at)));
    keys.forEach((key, r) => {
      const [dst0, dst1] = [limbAt(product(r, 0), i).at, limbAt(product(r, 1), i).at];
      kernels.innerProducts(dst0, dst1, list, limbs, this.#keyOf(key, index), this.#parts, degree, bits, prime);
    });
  }

  /** Of limb i of an extended polynomial with `limbs` data primes. */
  #tableOf(i: number, limbs: number): PrimeTables {
    return tableAt(this.tables, i < limbs ? i : this.#parts);
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
