import type { Parameters } from '../parameters/parameters.js';
import type { Heap } from './heap.js';
import { type Addend, type Addends, InnerProducts, type Places, type Switch } from './inner_products.js';
import { dealt, mostPlaces, placesFor } from './lanes.js';
import { type Limb, type LimbPool, limbAt, type Polynomial } from './limbs.js';
import type { ModulusDown } from './modulus_down.js';
import type { SwitchingKey, SwitchingKeys } from './switching_keys.js';
import { type PrimeTables, tableAt, tableOfLimb } from './tables.js';
import type { Task, TaskKernels, TaskRunner } from './threads.js';

/** What switches of one polynomial with several keys share: its digits, by prime, and the addends; and all limbs that they hold. */
export interface Decomposition {
  readonly digits: readonly Polynomial[];
  readonly addends: Addends;
  readonly held: readonly Limb[];
}

/**
 * SEAL's hybrid key switching: digits are the residues modulo single primes, one special prime is divided out. A switch gives the extended polynomials (b, a) with
 * b + a s = special prime * target * s' up to noise, s' what the key replaces, plus the addends, all under the automorphism of the key. That is applied last, to
 * the result.
 */
export class KeySwitcher {
  readonly #products: InnerProducts;

  constructor(
    parameters: Parameters,
    heap: Heap,
    private readonly runner: TaskRunner,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly keys: SwitchingKeys,
  ) {
    const { threads } = runner;
    // Blocks of the primes that are split have slots of their own.
    const slots = tables.length + (threads - 1) * blocksFor(threads);
    this.#products = new InnerProducts(parameters, heap, pool, tables, keys, slots);
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
    const split = range((limbs + 1) % threads).map((s) => ({ i: limbs - s, lane: lanes - 1 - s }));
    const [at = 0] = this.keys.addressesOf([key]);
    return this.pool.fillPolynomials(2, limbs + 1, (made) =>
      this.pool.withScratch(limbs + lanes * (limbs + 2), (scratch) => {
        const one = { key, at, made };
        const coefficients = scratch.slice(0, limbs);
        const digits = (i: number, lane: number): Polynomial =>
          scratch.slice((1 + lane) * limbs, (2 + lane) * limbs).map((limb, j) => (i === j ? limbAt(target, j) : limb));
        const places = (i: number, lane: number): Places => ({
          limbs: limbsAt(made, i),
          products: scratch.slice((1 + lanes) * limbs + 2 * lane).slice(0, 2),
        });
        this.runner.run(this.#toCoefficients(target, coefficients, key.g));
        const whole = dealt(range(limbs + 1 - split.length), threads, (kernels, i, lane) => {
          const own = digits(i, lane);
          for (let j = 0; j < limbs; j++) this.#transformDigit(kernels, coefficients, own, i, j);
          this.#products.limb(kernels, i, own, addends, one, places(i, lane));
        });
        this.runner.run([
          ...whole,
          ...split.flatMap(({ i, lane }) =>
            range(limbs).map((j) => (kernels: TaskKernels) => this.#transformDigit(kernels, coefficients, digits(i, lane), i, j)),
          ),
        ]);
        if (split.length === 0) return;
        const blocks = blocksFor(threads);
        const length = degree / blocks;
        this.runner.run(
          split.flatMap(({ i, lane }, s) =>
            range(blocks).map((b) => (kernels: TaskKernels) => {
              const block = { slot: this.tables.length + s * blocks + b, from: b * length, length };
              this.#products.block(kernels, i, digits(i, lane), addends, one, places(i, lane), block);
            }),
          ),
        );
        this.runner.run(
          split.flatMap(({ i, lane }) =>
            [0, 1].map((k) => (kernels: TaskKernels) => this.#products.permute(kernels, key, places(i, lane), k)),
          ),
        );
      }),
    );
  }

  /** For several keys (hoisting). Digits are centred, which halves the noise they carry. To be released. */
  decompose(target: Polynomial, addend: Addend): Decomposition {
    const { pool, runner } = this;
    const limbs = target.length;
    const held: Limb[] = [];
    const hold = (polynomial: Polynomial): Polynomial => {
      held.push(...polynomial);
      return polynomial;
    };
    try {
      const sum = addend.polynomial === undefined ? undefined : hold(pool.createPolynomial(limbs));
      const rest = hold(pool.hold((sum === undefined ? addend.extended : addend.extended?.slice(limbs)) ?? []));
      const own = hold(pool.createPolynomial(limbs * limbs)).values();
      hold(pool.hold(target));
      const digits = range(limbs + 1).map((i) => target.map((limb, j) => (i === j ? limb : (own.next().value ?? limb))));
      pool.withScratch(limbs, (coefficients) => {
        const adding = (sum ?? []).map(
          ({ at }, i): Task =>
            (kernels) =>
              void this.#products.addend(kernels, at, i, addend, 0, pool.degree),
        );
        runner.run([...this.#toCoefficients(target, coefficients), ...adding]);
        runner.run(
          digits.flatMap((polynomial, i) =>
            range(limbs).map((j) => (kernels) => this.#transformDigit(kernels, coefficients, polynomial, i, j)),
          ),
        );
      });
      return { digits, addends: [{ extended: [...(sum ?? []), ...rest] }, {}], held };
    } catch (error) {
      pool.release(held);
      throw error;
    }
  }

  /** One result for every key, in order; the keys must fit in the memory together. */
  switchTogether({ digits, addends }: Decomposition, keys: readonly SwitchingKey[]): (readonly Polynomial[])[] {
    const { threads } = this.runner;
    return this.#forKeys(keys, digits.length, (switches) =>
      this.pool.withScratch(2 * mostPlaces(threads), (scratch) => {
        const items = digits.flatMap((_, i) => switches.map((one) => ({ i, one })));
        this.runner.run(
          dealt(items, threads, (kernels, { i, one }, place) => {
            const products = scratch.slice(2 * place, 2 * place + 2);
            this.#products.limb(kernels, i, digits[i] ?? [], addends, one, { limbs: limbsAt(one.made, i), products });
          }),
        );
      }),
    );
  }

  /** The same, divided by the special prime: limb by limb, each while it is in the cache. */
  switchAndDivide({ digits, addends }: Decomposition, keys: readonly SwitchingKey[], modulusDown: ModulusDown): (readonly Polynomial[])[] {
    const { threads } = this.runner;
    const special = digits.length - 1;
    return this.#forKeys(keys, special, (switches) =>
      this.pool.withScratch(2 * keys.length + 3 * mostPlaces(threads), (scratch) => {
        const remainders = (r: number): Polynomial => scratch.slice(2 * r, 2 * r + 2);
        const own = (place: number): Polynomial => scratch.slice(2 * keys.length + 3 * place).slice(0, 3);
        this.runner.run(
          dealt([...switches.entries()], threads, (kernels, [r, one], place) => {
            this.#products.limb(kernels, special, digits[special] ?? [], addends, one, { limbs: remainders(r), products: own(place) });
            for (const { at } of remainders(r)) modulusDown.remainder(kernels, at, at);
          }),
        );
        const items = range(special).flatMap((i) => switches.map((one, r) => ({ i, one, r })));
        this.runner.run(
          dealt(items, threads, (kernels, { i, one, r }, place) => {
            const limbs = limbsAt(one.made, i);
            this.#products.limb(kernels, i, digits[i] ?? [], addends, one, { limbs, products: own(place) });
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
    const { prime, forward } = tableOfLimb(this.tables, i, digits.length);
    kernels.forward(limbAt(digits, j).at, limbAt(coefficients, j).at, forward, 8 * degree, Math.log2(degree), prime);
  }
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
