import type { Parameters } from '../parameters/parameters.js';
import type { Address } from './kernels.js';
import { dealt, placesFor } from './lanes.js';
import { type LimbPool, limbAt, type Polynomial } from './limbs.js';
import { inverseOf, type PrimeTables, symmetric, tableAt } from './tables.js';
import type { TaskKernels, TaskRunner } from './threads.js';

/** Added to a quotient; nothing where undefined. */
type Addends = readonly (Polynomial | undefined)[];

/** A limb of a quotient, the one it is made from (maybe the same), and a scratch limb. */
export interface Places {
  readonly dst: Address;
  readonly src: Address;
  readonly scratch: Address;
}

/**
 * Divisions of transformed polynomials by the special prime P and by the last data prime q, rounded: x -> (x - r) / q for the centred residue r modulo q, as SEAL
 * does. Several polynomials at a time. Results are new; with `overwrite`, limbs that nobody else holds become those of the result.
 */
export class ModulusDown {
  readonly #special: PrimeTables;
  /** P and 1 / P, by data prime. */
  readonly #residues: readonly number[];
  readonly #inverses: readonly number[];
  /** 1 / q_l and 1 / (P q_l) modulo the primes below, by l. */
  readonly #lastInverses: readonly (readonly number[])[];
  readonly #bothInverses: readonly (readonly number[])[];

  constructor(
    parameters: Parameters,
    private readonly runner: TaskRunner,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
  ) {
    const { dataPrimes, specialPrime } = parameters;
    const below = (divisor: (q: bigint) => bigint): number[][] =>
      dataPrimes.map((q, level) => dataPrimes.slice(0, level).map((p) => inverseOf(divisor(q), p)));
    this.#special = tableAt(tables, tables.length - 1);
    this.#residues = dataPrimes.map((p) => symmetric(Number(specialPrime % p), Number(p)));
    this.#inverses = dataPrimes.map((p) => inverseOf(specialPrime, p));
    this.#lastInverses = below((q) => q);
    this.#bothInverses = below((q) => specialPrime * q);
  }

  /** round(x / P) + addend; the last limb of x is the residue modulo P. */
  bySpecial(extended: readonly Polynomial[], addends: Addends, overwrite = false): Polynomial[] {
    const limbs = (extended[0]?.length ?? 0) - 1;
    return this.pool.withScratch(extended.length, (scratch) => {
      this.runner.run(extended.map((x, k) => (kernels) => this.remainder(kernels, limbAt(scratch, k).at, limbAt(x, limbs).at)));
      return this.#quotients(extended, limbs, overwrite, (kernels, k, j, at) => {
        this.quotient(kernels, at, limbAt(scratch, k).at, j, addends[k]);
      });
    });
  }

  /** round(x / q_l), q_l the prime of the last limb. */
  byLast(polynomials: readonly Polynomial[]): Polynomial[] {
    const level = (polynomials[0]?.length ?? 0) - 1;
    const factors = this.#lastInverses[level] ?? [];
    return this.pool.withScratch(polynomials.length, (scratch) => {
      const table = tableAt(this.tables, level);
      this.runner.run(polynomials.map((x, k) => (kernels) => this.#remainder(kernels, limbAt(scratch, k).at, limbAt(x, level).at, table)));
      return this.#quotients(polynomials, level, false, (kernels, k, j, at) => {
        this.#divide(kernels, at, limbAt(scratch, k).at, j, factors[j] ?? 0);
      });
    });
  }

  /**
   * {@link byLast} of {@link bySpecial}, the same residues with half the transforms: with r = x mod P and s = round(x / P) + addend mod q_l, both centred, it is
   * (x - (r + P s)) / (P q_l) + addend / q_l.
   */
  bySpecialAndLast(extended: readonly Polynomial[], addends: Addends, overwrite = false): Polynomial[] {
    const level = (extended[0]?.length ?? 0) - 2;
    const { degree } = this.pool;
    const [both, last] = [this.#bothInverses[level] ?? [], this.#lastInverses[level] ?? []];
    return this.pool.withScratch(2 * extended.length, (scratch) => {
      const [r, s] = [(k: number): Address => limbAt(scratch, 2 * k).at, (k: number): Address => limbAt(scratch, 2 * k + 1).at];
      this.runner.run(
        extended.map((x, k) => (kernels) => {
          this.remainder(kernels, r(k), limbAt(x, level + 1).at);
          this.#secondRemainder(kernels, s(k), r(k), limbAt(x, level).at, addends[k], level);
        }),
      );
      return this.#quotients(extended, level, overwrite, (kernels, k, j, at) => {
        const { prime } = tableAt(this.tables, j);
        kernels.addScaled(at.scratch, r(k), s(k), degree, this.#residues[j] ?? 0, prime);
        this.#divide(kernels, at, at.scratch, j, both[j] ?? 0);
        const addend = addends[k];
        if (addend !== undefined) kernels.addScaled(at.dst, at.dst, limbAt(addend, j).at, degree, last[j] ?? 0, prime);
      });
    });
  }

  /** What {@link quotient} takes, given the limb modulo the special prime. */
  remainder(kernels: TaskKernels, dst: Address, limb: Address): void {
    this.#remainder(kernels, dst, limb, this.#special);
  }

  /** Limb j of round(x / P) + addend. */
  quotient(kernels: TaskKernels, at: Places, remainder: Address, j: number, addend?: Polynomial): void {
    this.#divide(kernels, at, remainder, j, this.#inverses[j] ?? 0, addend);
  }

  /** Centred coefficients of a limb. */
  #remainder(kernels: TaskKernels, dst: Address, limb: Address, { prime, inverse }: PrimeTables): void {
    const { degree } = this.pool;
    kernels.inverse(dst, limb, inverse, 8 * degree, Math.log2(degree), prime);
    kernels.toSymmetric(dst, dst, degree, prime);
  }

  /** Centred coefficients of round(x / P) + addend modulo q_l, given those of x modulo P. */
  #secondRemainder(kernels: TaskKernels, dst: Address, first: Address, limb: Address, addend: Polynomial | undefined, level: number): void {
    const { degree } = this.pool;
    const { prime, inverse } = tableAt(this.tables, level);
    let source = limb;
    if (addend !== undefined) {
      kernels.addScaled(dst, limb, limbAt(addend, level).at, degree, this.#residues[level] ?? 0, prime);
      source = dst;
    }
    kernels.inverse(dst, source, inverse, 8 * degree, Math.log2(degree), prime);
    kernels.subtractScale(dst, dst, first, degree, this.#inverses[level] ?? 0, prime);
    kernels.toCanonical(dst, dst, degree, prime);
    kernels.toSymmetric(dst, dst, degree, prime);
  }

  /** Limb j of (x - remainder) * factor + addend, for coefficients of the remainder. */
  #divide(kernels: TaskKernels, { dst, src, scratch }: Places, remainder: Address, j: number, factor: number, addend?: Polynomial): void {
    const { degree } = this.pool;
    const { prime, forward } = tableAt(this.tables, j);
    const plus = addend === undefined ? 0 : limbAt(addend, j).at;
    kernels.forwardSubtractScale(dst, remainder, scratch, src, plus, forward, 8 * degree, Math.log2(degree), factor, prime);
  }

  /** Polynomials of `limbs` limbs; `compute` makes limb j of the one from polynomial k, with a scratch limb of its own. */
  #quotients(
    polynomials: readonly Polynomial[],
    limbs: number,
    overwrite: boolean,
    compute: (kernels: TaskKernels, k: number, j: number, at: Places) => void,
  ): Polynomial[] {
    const { pool, runner } = this;
    const items = polynomials.flatMap((_, k) => Array.from({ length: limbs }, (_, j) => ({ k, j })));
    return pool.withScratch(placesFor(items.length, runner.threads), (scratch) => {
      const own = polynomials.map((polynomial) => polynomial.slice(0, limbs));
      const reused = overwrite && own.flat().every(({ holders }) => holders === 1);
      // Held a second time, so that their owner may release them.
      const made = reused ? own.map((polynomial) => pool.hold(polynomial)) : pool.createPolynomials(polynomials.length, limbs);
      runner.run(
        dealt(items, runner.threads, (kernels, { k, j }, place) => {
          const at = (polynomial: Polynomial | undefined): Address => limbAt(polynomial ?? [], j).at;
          compute(kernels, k, j, { dst: at(made[k]), src: at(polynomials[k]), scratch: limbAt(scratch, place).at });
        }),
      );
      return made;
    });
  }
}
