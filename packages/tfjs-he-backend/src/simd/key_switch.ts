import type { Parameters } from '../parameters/parameters.js';
import type { RnsCiphertext } from '../wire/seal_format.js';
import type { Heap } from './heap.js';
import type { Address, Kernels } from './kernels.js';
import { KeyStore, type StoredKey } from './key_store.js';
import { dealt, mostPlaces, placesFor } from './lanes.js';
import { type LimbPool, limbAt, type Polynomial } from './limbs.js';
import type { SeedExpander } from './seed_expander.js';
import { galoisPermutation, type PrimeTables, symmetric, tableAt } from './tables.js';
import type { TaskKernels, TaskRunner } from './threads.js';

/** Keys whose inner products are computed together: as many as share the digits from the cache. */
const KEYS_AT_ONCE = 4;

/** A key-switching key in the layout of the inner-product kernel, with the automorphism it belongs to (g = 1: relinearisation). */
export interface SwitchingKey {
  readonly stored: StoredKey;
  readonly g: number;
  /** Permutation of transformed polynomials under X -> X^g; 0 for g = 1. */
  readonly permutation: Address;
}

/** Added to a polynomial of the result before the automorphism: special prime * polynomial + extended. */
export interface Addend {
  readonly polynomial?: Polynomial | undefined;
  readonly extended?: Polynomial | undefined;
}

/** By polynomial. */
export type Addends = readonly [Addend, Addend];

/** What becomes of the inner products with a key: the pair of polynomials, and scratch limbs for them before the automorphism. */
interface Output {
  readonly key: SwitchingKey;
  readonly switched: readonly Polynomial[];
  readonly products: Polynomial;
  readonly addends: Addends;
}

/**
 * SEAL's hybrid key switching: digits are the residues modulo single primes, one special prime is divided out. The automorphism of a rotation is applied
 * last, to the result; digits are lifted with the signs that they would have after it, so the result is SEAL's bit for bit.
 */
export class KeySwitcher {
  readonly #parts: number;
  /** The special prime modulo the data primes, centred. */
  readonly #specialResidues: readonly number[];
  /** Addresses of digits, for the kernel: a list for every prime, and for every block of those that are split. */
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
    this.#specialResidues = parameters.dataPrimes.map((prime) => symmetric(Number(parameters.specialPrime % prime), Number(prime)));
    const { threads } = runner;
    this.#lists = heap.allocate(4 * tables.length * (tables.length + (threads - 1) * blocksFor(threads)));
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

  /** Takes over a seeded key of the automorphism X -> X^g: one ciphertext per data prime, over all primes, whose second polynomial is there or its seed expands to. */
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
            const second = polynomials[1];
            if (second === undefined) this.expander.expand(seed, scratch);
            else {
              second.forEach((residues, i) => {
                heap.doubles(limbAt(scratch, i).at, pool.degree).set(residues);
              });
            }
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
   * For every key, in order, the extended polynomials (b, a) with b + a s = special prime * target * s' up to noise, s' what the key replaces, plus the addends, all under
   * the automorphism of the key. One key: digits as SEAL takes them, for the same residues. Several keys: the digits are computed once (hoisting), centred, which
   * halves the noise they carry.
   */
  switch(target: Polynomial, keys: readonly SwitchingKey[], addends: Addends): (readonly Polynomial[])[] {
    const made: (readonly Polynomial[])[] = [];
    try {
      const [first, ...others] = keys;
      if (first !== undefined && others.length === 0) this.#switchOne(target, first, addends, made);
      else this.#switchMany(target, keys, addends, made);
      return made;
    } catch (error) {
      for (const polynomial of made.flat()) this.pool.release(polynomial);
      throw error;
    }
  }

  /** Prime after prime, with the digits in the same, cached place; primes that threads cannot share evenly are split between them. */
  #switchOne(target: Polynomial, key: SwitchingKey, addends: Addends, made: (readonly Polynomial[])[]): void {
    const { degree } = this.pool;
    const { threads } = this.runner;
    const limbs = target.length;
    const places = placesFor(limbs + 1, threads);
    const split = range((limbs + 1) % threads).map((s) => ({ i: limbs - s, place: places - 1 - s }));
    const [at = 0] = this.#store.addressesOf([key.stored]);
    this.pool.withScratch(limbs + places * (limbs + 2), (scratch) => {
      const switched = this.pool.createPolynomials(2, limbs + 1);
      made.push(switched);
      const coefficients = scratch.slice(0, limbs);
      const digits = (place: number): Polynomial => scratch.slice((1 + place) * limbs, (2 + place) * limbs);
      const products = (place: number): Polynomial => scratch.slice((1 + places) * limbs + 2 * place).slice(0, 2);
      const output = (place: number): Output => ({ key, switched, products: products(place), addends });
      this.#decompose(target, coefficients, key);
      const whole = dealt(range(limbs + 1 - split.length), threads, (kernels, i, place) => {
        for (let j = 0; j < limbs; j++) this.#transformDigit(kernels, coefficients, digits(place), i, j);
        this.#multiply(kernels, digits(place), target, i, at, output(place), { slot: i, from: 0, length: degree });
        this.#finish(kernels, i, output(place), [0, 1]);
      });
      this.runner.run([
        ...whole,
        ...split.flatMap(({ i, place }) =>
          range(limbs).map((j) => (kernels: TaskKernels) => this.#transformDigit(kernels, coefficients, digits(place), i, j)),
        ),
      ]);
      if (split.length === 0) return;
      const blocks = blocksFor(threads);
      const length = degree / blocks;
      this.runner.run(
        split.flatMap(({ i, place }, s) =>
          range(blocks).map((b) => (kernels: TaskKernels) => {
            const slot = this.tables.length + s * blocks + b;
            this.#multiply(kernels, digits(place), target, i, at, output(place), { slot, from: b * length, length });
          }),
        ),
      );
      this.runner.run(
        split.flatMap(({ i, place }) => [0, 1].map((k) => (kernels: TaskKernels) => this.#finish(kernels, i, output(place), [k]))),
      );
    });
  }

  /** All digits, modulo all primes, then a few keys at a time. */
  #switchMany(target: Polynomial, keys: readonly SwitchingKey[], addends: Addends, made: (readonly Polynomial[])[]): void {
    const { degree } = this.pool;
    const { threads } = this.runner;
    const limbs = target.length;
    const primes = range(limbs + 1);
    this.pool.withScratch((2 + limbs) * limbs + 2 * mostPlaces(threads), (scratch) => {
      const coefficients = scratch.slice(0, limbs);
      const digits = (i: number): Polynomial => scratch.slice((1 + i) * limbs, (2 + i) * limbs);
      this.#decompose(target, coefficients, undefined);
      this.runner.run(
        primes.flatMap((i) => range(limbs).map((j) => (kernels) => this.#transformDigit(kernels, coefficients, digits(i), i, j))),
      );
      for (let first = 0; first < keys.length; first += KEYS_AT_ONCE) {
        const group = keys.slice(first, first + KEYS_AT_ONCE);
        const addresses = this.#store.addressesOf(group.map(({ stored }) => stored));
        const switched = group.map(() => {
          const pair = this.pool.createPolynomials(2, limbs + 1);
          made.push(pair);
          return pair;
        });
        const items = primes.flatMap((i) => group.map((key, r) => ({ i, key, at: addresses[r] ?? 0, pair: switched[r] ?? [] })));
        this.runner.run(
          dealt(items, threads, (kernels, { i, key, at, pair }, place) => {
            const products = scratch.slice((2 + limbs) * limbs + 2 * place).slice(0, 2);
            const output = { key, switched: pair, products, addends };
            this.#multiply(kernels, digits(i), target, i, at, output, { slot: i, from: 0, length: degree });
            this.#finish(kernels, i, output, [0, 1]);
          }),
        );
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

  /** Digit j modulo the prime of limb i; digit i itself is the target's limb. */
  #transformDigit(kernels: TaskKernels, coefficients: Polynomial, digits: Polynomial, i: number, j: number): void {
    if (i === j) return;
    const { degree } = this.pool;
    const { prime, forward } = this.#tableOf(i, digits.length);
    kernels.forward(limbAt(digits, j).at, limbAt(coefficients, j).at, forward, 8 * degree, Math.log2(degree), prime);
  }

  /** Values from .. from + length - 1 of limb i of the inner products with a key. `slot` is the place of the block's list of digits. */
  #multiply(
    kernels: TaskKernels,
    digits: Polynomial,
    target: Polynomial,
    i: number,
    key: Address,
    output: Output,
    { slot, from, length }: { readonly slot: number; readonly from: number; readonly length: number },
  ): void {
    const limbs = target.length;
    const { prime, bits } = this.#tableOf(i, limbs);
    const list = this.#lists + 4 * this.tables.length * slot;
    this.heap.words(list, limbs).set(digits.map(({ at }, j) => (j === i ? limbAt(target, j).at : at) + 8 * from));
    const block = this.#keyOf(key, i === limbs ? this.#parts : i) + 16 * this.#parts * from;
    const dst = (k: number): Address => productAt(output, i, k) + 8 * from;
    kernels.innerProducts(dst(0), dst(1), list, limbs, block, this.#parts, length, bits, prime);
  }

  /** Addends and automorphism of limb i of polynomials k. */
  #finish(kernels: TaskKernels, i: number, output: Output, polynomials: readonly number[]): void {
    const { degree } = this.pool;
    const limbs = (output.switched[0]?.length ?? 0) - 1;
    const { prime } = this.#tableOf(i, limbs);
    for (const k of polynomials) {
      const product = productAt(output, i, k);
      const { polynomial, extended } = output.addends[k] ?? {};
      if (polynomial !== undefined && i < limbs) {
        kernels.addScaled(product, product, limbAt(polynomial, i).at, degree, this.#specialResidues[i] ?? 0, prime);
      }
      if (extended !== undefined) kernels.add(product, product, limbAt(extended, i).at, degree, prime);
      if (output.key.permutation !== 0) kernels.permute(limbAt(output.switched[k] ?? [], i).at, product, output.key.permutation, degree);
    }
  }

  /** Of limb i of an extended polynomial with `limbs` data primes. */
  #tableOf(i: number, limbs: number): PrimeTables {
    return tableAt(this.tables, i < limbs ? i : this.#parts);
  }
}

/** Where limb i of the inner product k goes: to its place, unless an automorphism takes it there. */
function productAt({ key, switched, products }: Output, i: number, k: number): Address {
  return key.permutation === 0 ? limbAt(switched[k] ?? [], i).at : limbAt(products, k).at;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Into how many blocks of coefficients a prime is split: a power of two, at least one for each thread. */
function blocksFor(threads: number): number {
  return 2 ** Math.ceil(Math.log2(threads));
}
