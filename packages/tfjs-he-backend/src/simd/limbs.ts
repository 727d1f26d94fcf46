import { allOrNone } from '../all_or_none.js';
import type { Heap } from './heap.js';
import type { Address } from './kernels.js';

/** Residues of one polynomial modulo one prime: N centred doubles. Never written while anybody else holds it. */
export interface Limb {
  readonly at: Address;
  holders: number;
}

/** Limbs of q_0, q_1, ... */
export type Polynomial = readonly Limb[];

export function limbAt(polynomial: Polynomial, index: number): Limb {
  const limb = polynomial[index];
  if (limb === undefined) throw new RangeError(`no limb ${index}`);
  return limb;
}

/** Limbs are counted, so that copies of a ciphertext, dropped primes and sums not yet computed share them. */
export class LimbPool {
  readonly #bytes: number;

  constructor(
    private readonly heap: Heap,
    readonly degree: number,
  ) {
    this.#bytes = 8 * degree;
  }

  /** Not cleared. */
  create(): Limb {
    return { at: this.heap.allocate(this.#bytes), holders: 1 };
  }

  createPolynomial(limbs: number): Polynomial {
    return allOrNone(
      limbs,
      () => this.create(),
      (limb) => this.release([limb]),
    );
  }

  createPolynomials(count: number, limbs: number): Polynomial[] {
    return allOrNone(
      count,
      () => this.createPolynomial(limbs),
      (polynomial) => this.release(polynomial),
    );
  }

  /** New polynomials, which `fill` writes; they are released if it fails. */
  fillPolynomials(count: number, limbs: number, fill: (made: readonly Polynomial[]) => void): Polynomial[] {
    const made = this.createPolynomials(count, limbs);
    try {
      fill(made);
      return made;
    } catch (error) {
      for (const polynomial of made) this.release(polynomial);
      throw error;
    }
  }

  hold(polynomial: Polynomial): Polynomial {
    for (const limb of polynomial) limb.holders++;
    return polynomial;
  }

  release(polynomial: Polynomial): void {
    for (const limb of polynomial) if (--limb.holders === 0) this.heap.free(limb.at, this.#bytes);
  }

  /** Runs with scratch limbs, which are free again afterwards. */
  withScratch<T>(limbs: number, use: (scratch: Polynomial) => T): T {
    const scratch = this.createPolynomial(limbs);
    try {
      return use(scratch);
    } finally {
      this.release(scratch);
    }
  }
}
