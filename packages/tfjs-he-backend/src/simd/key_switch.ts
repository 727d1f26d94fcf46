import type { Parameters } from '../parameters/parameters.js';
import type { Heap } from './heap.js';
import type { Address } from './kernels.js';
import { dealt, mostPlaces, placesFor } from './lanes.js';
import { type Limb, type LimbPool, limbAt, type Polynomial } from './limbs.js';
import type { ModulusDown } from './modulus_down.js';
import type { SwitchingKey, SwitchingKeys } from './switching_keys.js';
import { type PrimeTables, symmetric, tableAt } from './tables.js';
import type { Task, TaskKernels, TaskRunner } from './threads.js';

/** Added to a polynomial of the result before the automorphism: special prime * polynomial + extended. */
export interface Addend {
  readonly polynomial?: Polynomial | undefined;
  readonly extended?: Polynomial | undefined;
}

/** By polynomial. */
export type Addends = readonly [Addend, Addend];

/** An addend modulo each prime; limbs that are missing are zero. */
type Base = Polynomial;

/** What switches of one polynomial with several keys share: its digits, by prime, and the addends; and all limbs that they hold. */
export interface Decomposition {
  readonly digits: readonly Polynomial[];
  readonly bases: readonly Base[];
  readonly held: readonly Limb[];
}

/** A key with its address, and where the two polynomials of its switch go. */
interface Switch {
  readonly key: SwitchingKey;
  readonly at: Address;
  readonly made: readonly Polynomial[];
}

/** Of one prime: where the two inner products go in the end, and before the automorphism. */
interface Places {
  readonly limbs: Polynomial;
  readonly products: Polynomial;
}

/** Values `from` .. `from + length - 1` of a limb. `slot` is the place of their list of digits. */
interface Block {
  readonly slot: number;
  readonly from: number;
  readonly length: number;
}

/**
 * SEAL's hybrid key switching: digits are the residues modulo single primes, one special prime is divided out. A switch gives the extended polynomials (b, a) with
 * b + a s = special prime * target * s' up to noise, s' what the key replaces, plus the addends, all under the automorphism of the key. That is applied last, to
 * the result.
 */
export class KeySwitcher {
  /** The special prime modulo the data primes, centred. */
  readonly #specialResidues: readonly number[];
  /** Addresses of digits, for the kernel: a list for every prime, and for every block of those that are split. */
  readonly #lists: Address;

  constructor(
    parameters: Parameters,
    private readonly heap: Heap,
    private readonly runner: TaskRunner,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly keys: SwitchingKeys,
  ) {
    this.#specialResidues = parameters.dataPrimes.map((prime) => symmetric(Number(parameters.specialPrime % prime), Number(prime)));
    const { threads } = runner;
    this.#lists = heap.allocate(4 * tables.length * (tables.length + (threads - 1) * blocksFor(threads)));
  }

  /**
   * With one key: digits are lifted with the signs that SEAL's have, which takes them after the automorphism, so the residues are SEAL's. Prime after prime, with the digits
   * in the same, cached place; primes that threads cannot share evenly are split between them.
   */
  switch(target: Polynomial, key: SwitchingKey, addends: Addends): readonly Polynomial[] {
    const { degree } = this.pool;
    const { threads } = this.runner;
    const limbs = target.length;
    const lanes = placesFor(limbs + 1, threads);
    const split = range((limbs + 1) % threads).map((s) => ({ i: limbs - s, place: lanes - 1 - s }));
    const [at = 0] = this.keys.addressesOf([key]);
    const held: Limb[] = [];
    try {
      const { bases, tasks } = this.#bases(addends, limbs, held);
      return this.pool.fillPolynomials(2, limbs + 1, (made) =>
        this.pool.withScratch(limbs + lanes * (limbs + 2), (scratch) => {
          const one = { key, at, made };
          const coefficients = scratch.slice(0, limbs);
          const digits = (i: number, place: number): Polynomial =>
            scratch.slice((1 + place) * limbs, (2 + place) * limbs).map((limb, j) => (i === j ? limbAt(target, j) : limb));
          const places = (i: number, place: number): Places => ({
            limbs: limbsAt(made, i),
            products: scratch.slice((1 + lanes) * limbs + 2 * place).slice(0, 2),
          });
          this.runner.run([...this.#toCoefficients(target, coefficients, key.g), ...tasks]);
          const whole = dealt(range(limbs + 1 - split.length), threads, (kernels, i, place) => {
            for (let j = 0; j < limbs; j++) this.#transformDigit(kernels, coefficients, digits(i, place), i, j);
            this.#switchLimb(kernels, i, digits(i, place), bases, one, places(i, place));
          });
          this.runner.run([
            ...whole,
            ...split.flatMap(({ i, place }) =>
              range(limbs).map((j) => (kernels: TaskKernels) => this.#transformDigit(kernels, coefficients, digits(i, place), i, j)),
            ),
          ]);
          if (split.length === 0) return;
          const blocks = blocksFor(threads);
          const length = degree / blocks;
          this.runner.run(
            split.flatMap(({ i, place }, s) =>
              range(blocks).map((b) => (kernels: TaskKernels) => {
                const slot = this.tables.length + s * blocks + b;
                this.#multiply(kernels, i, digits(i, place), bases, one, places(i, place), { slot, from: b * length, length });
              }),
            ),
          );
          this.runner.run(
            split.flatMap(({ i, place }) => [0, 1].map((k) => (kernels: TaskKernels) => this.#permute(kernels, key, places(i, place), k))),
          );
        }),
      );
    } finally {
      this.pool.release(held);
    }
  }

  /** For several keys (hoisting). Digits are centred, which halves the noise they carry. To be released. */
  decompose(target: Polynomial, addends: Addends): Decomposition {
    const { pool, runner } = this;
    const limbs = target.length;
    const primes = range(limbs + 1);
    const held: Limb[] = [];
    try {
      const { bases, tasks } = this.#bases(addends, limbs, held);
      const own = pool.createPolynomial(limbs * limbs);
      held.push(...own, ...pool.hold(target));
      let next = 0;
      const digits = primes.map((i) => target.map((limb, j) => (i === j ? limb : limbAt(own, next++))));
      pool.withScratch(limbs, (coefficients) => {
        runner.run([...this.#toCoefficients(target, coefficients), ...tasks]);
        runner.run(
          digits.flatMap((polynomial, i) =>
            range(limbs).map((j) => (kernels) => this.#transformDigit(kernels, coefficients, polynomial, i, j)),
          ),
        );
      });
      return { digits, bases, held };
    } catch (error) {
      pool.release(held);
      throw error;
    }
  }

  /** One result for every key, in order; the keys must fit in the memory together. */
  switchTogether({ digits, bases }: Decomposition, keys: readonly SwitchingKey[]): (readonly Polynomial[])[] {
    const { threads } = this.runner;
    return this.#forKeys(keys, digits.length, (switches) =>
      this.pool.withScratch(2 * mostPlaces(threads), (scratch) => {
        const items = digits.flatMap((_, i) => switches.map((one) => ({ i, one })));
        this.runner.run(
          dealt(items, threads, (kernels, { i, one }, place) => {
            const products = scratch.slice(2 * place, 2 * place + 2);
            this.#switchLimb(kernels, i, digits[i] ?? [], bases, one, { limbs: limbsAt(one.made, i), products });
          }),
        );
      }),
    );
  }

  /** The same, divided by the special prime: limb by limb, each while it is in the cache. */
  switchAndDivide({ digits, bases }: Decomposition, keys: readonly SwitchingKey[], modulusDown: ModulusDown): (readonly Polynomial[])[] {
    const { threads } = this.runner;
    const special = digits.length - 1;
    return this.#forKeys(keys, special, (switches) =>
      this.pool.withScratch(2 * keys.length + 3 * mostPlaces(threads), (scratch) => {
        const remainders = (r: number): Polynomial => scratch.slice(2 * r, 2 * r + 2);
        const own = (place: number): Polynomial => scratch.slice(2 * keys.length + 3 * place).slice(0, 3);
        this.runner.run(
          dealt([...switches.entries()], threads, (kernels, [r, one], place) => {
            this.#switchLimb(kernels, special, digits[special] ?? [], bases, one, { limbs: remainders(r), products: own(place) });
            for (const { at } of remainders(r)) modulusDown.remainder(kernels, at, at);
          }),
        );
        const items = range(special).flatMap((i) => switches.map((one, r) => ({ i, one, r })));
        this.runner.run(
          dealt(items, threads, (kernels, { i, one, r }, place) => {
            const limbs = limbsAt(one.made, i);
            this.#switchLimb(kernels, i, digits[i] ?? [], bases, one, { limbs, products: own(place) });
            for (const [k, { at }] of limbs.entries()) {
              const free = limbAt(own(place), 2).at;
              modulusDown.quotient(kernels, { dst: at, src: at, scratch: free }, limbAt(remainders(r), k).at, i);
            }
          }),
        );
      }),
    );
  }

  /** New pairs of polynomials of `limbs` limbs, which `fill` writes. */
  #forKeys(keys: readonly SwitchingKey[], limbs: number, fill: (switches: readonly Switch[]) => void): (readonly Polynomial[])[] {
    const addresses = this.keys.addressesOf(keys);
    const pair = (polynomials: readonly Polynomial[], r: number): readonly Polynomial[] => polynomials.slice(2 * r, 2 * r + 2);
    const made = this.pool.fillPolynomials(2 * keys.length, limbs, (polynomials) => {
      fill(keys.map((key, r) => ({ key, at: addresses[r] ?? 0, made: pair(polynomials, r) })));
    });
    return keys.map((_, r) => pair(made, r));
  }

  /** Addends by prime, all of whose limbs are added to `held`, and the tasks that write those that are new. */
  #bases(addends: Addends, limbs: number, held: Limb[]): { readonly bases: readonly Base[]; readonly tasks: readonly Task[] } {
    const { pool } = this;
    const { degree } = pool;
    const tasks: Task[] = [];
    const bases = addends.map(({ polynomial, extended }): Base => {
      if (polynomial === undefined) {
        held.push(...pool.hold(extended ?? []));
        return extended ?? [];
      }
      const made = pool.createPolynomial(limbs);
      const special = pool.hold(extended?.slice(limbs) ?? []);
      held.push(...made, ...special);
      for (const [i, { at }] of made.entries()) {
        const { prime } = tableAt(this.tables, i);
        const [addend, factor, other] = [limbAt(polynomial, i).at, this.#specialResidues[i] ?? 0, extended?.[i]?.at];
        tasks.push((kernels) => {
          if (other === undefined) kernels.scale(at, addend, degree, factor, prime);
          else kernels.addScaled(at, other, addend, degree, factor, prime);
        });
      }
      return [...made, ...special];
    });
    return { bases, tasks };
  }

  /** Coefficients of the residues modulo single primes: lifted for X -> X^g as SEAL's are, or centred. */
  #toCoefficients(target: Polynomial, coefficients: Polynomial, g?: number): Task[] {
    const { degree } = this.pool;
    return target.map(({ at }, j) => (kernels) => {
      const { prime, inverse } = tableAt(this.tables, j);
      const coefficient = limbAt(coefficients, j).at;
      kernels.inverse(coefficient, at, inverse, 8 * degree, Math.log2(degree), prime);
      if (g === undefined) kernels.toSymmetric(coefficient, coefficient, degree, prime);
      else if (g !== 1) kernels.liftFor(coefficient, coefficient, degree, g, prime);
    });
  }

  /** Digit j modulo the prime of limb i; digit i itself is the target's limb. */
  #transformDigit(kernels: TaskKernels, coefficients: Polynomial, digits: Polynomial, i: number, j: number): void {
    if (i === j) return;
    const { degree } = this.pool;
    const { prime, forward } = this.#tableOf(i, digits.length);
    kernels.forward(limbAt(digits, j).at, limbAt(coefficients, j).at, forward, 8 * degree, Math.log2(degree), prime);
  }

  /** Limb i of both polynomials. */
  #switchLimb(kernels: TaskKernels, i: number, digits: Polynomial, bases: readonly Base[], one: Switch, places: Places): void {
    this.#multiply(kernels, i, digits, bases, one, places, { slot: i, from: 0, length: this.pool.degree });
    for (const k of [0, 1]) this.#permute(kernels, one.key, places, k);
  }

  /** A block of limb i of the inner products, with the addends. */
  #multiply(
    kernels: TaskKernels,
    i: number,
    digits: Polynomial,
    bases: readonly Base[],
    { key, at }: Switch,
    places: Places,
    { slot, from, length }: Block,
  ): void {
    const limbs = digits.length;
    const { prime, bits } = this.#tableOf(i, limbs);
    const list = this.#lists + 4 * this.tables.length * slot;
    this.heap.words(list, limbs).set(digits.map((digit) => digit.at + 8 * from));
    const part = this.keys.partOf(at, i === limbs ? this.keys.parts : i, from);
    const dst = (k: number): Address => productAt(key, places, k) + 8 * from;
    const base = (k: number): Address => {
      const limb = bases[k]?.[i];
      return limb === undefined ? 0 : limb.at + 8 * from;
    };
    kernels.innerProducts(dst(0), dst(1), base(0), base(1), list, limbs, part, this.keys.parts, length, bits, prime);
  }

  /** The automorphism of a limb of polynomial k. */
  #permute(kernels: TaskKernels, key: SwitchingKey, places: Places, k: number): void {
    if (key.permutation !== 0) kernels.permute(limbAt(places.limbs, k).at, productAt(key, places, k), key.permutation, this.pool.degree);
  }

  /** Of limb i of an extended polynomial with `limbs` data primes. */
  #tableOf(i: number, limbs: number): PrimeTables {
    return tableAt(this.tables, i < limbs ? i : this.tables.length - 1);
  }
}

/** Where the inner product k goes: to its place, unless an automorphism takes it there. */
function productAt({ permutation }: SwitchingKey, { limbs, products }: Places, k: number): Address {
  return limbAt(permutation === 0 ? limbs : products, k).at;
}

function limbsAt(polynomials: readonly Polynomial[], i: number): Polynomial {
  return polynomials.map((polynomial) => limbAt(polynomial, i));
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

/** Into how many blocks of coefficients a prime is split: a power of two, at least one for each thread. */
function blocksFor(threads: number): number {
  return 2 ** Math.ceil(Math.log2(threads));
}
