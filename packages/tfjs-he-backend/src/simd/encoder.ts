import { allOrNone } from '../all_or_none.js';
import type { StoredPlaintext } from '../engines/engine.js';
import type { Heap } from './heap.js';
import type { Address, Kernels } from './kernels.js';
import { periodOf } from './period.js';
import { type PrimeTables, placeRoots, slotPlaces, tableAt } from './tables.js';

/** An encoded vector: for every prime of its level and, last, the special one, 2^(log2 N - logRun) values, each of which stands for a run of 2^logRun neighbours. */
export interface SimdPlaintext {
  readonly limbs: readonly Address[];
  readonly logRun: number;
  /** Of one limb. */
  readonly limbBytes: number;
  /** Nothing but zeros. */
  readonly zero: boolean;
  holders: number;
}

/** The transform takes integers up to this. */
const DIRECT = 2 ** 50;
const DIGIT = 2 ** 40;

/**
 * Encodes in double precision. A vector of period P is a polynomial in X^(N / 2P), whose transform has 2P different values, each N / 2P times in a row:
 * only those are computed and kept.
 */
export class Encoder {
  readonly #logSlots: number;
  readonly #roots: Address;
  readonly #twists: Address;
  /** Complex values, then coefficients. */
  readonly #values: Address;
  readonly #coefficients: Address;
  readonly #scratch: Address;
  readonly #places = new Map<number, Uint32Array>();

  constructor(
    private readonly heap: Heap,
    private readonly kernels: Kernels,
    private readonly degree: number,
    private readonly tables: readonly PrimeTables[],
  ) {
    const slots = degree / 2;
    this.#logSlots = Math.log2(slots);
    this.#roots = placeRoots(heap, this.#logSlots, slots / 2);
    this.#twists = placeRoots(heap, this.#logSlots + 2, slots);
    this.#values = heap.allocate(16 * slots);
    this.#coefficients = heap.allocate(8 * degree);
    this.#scratch = heap.allocate(8 * degree);
  }

  /** @param values N / 2 finite numbers; scale * |values| must fit the modulus of the level. */
  encode(values: Float64Array, level: number, scale: number): SimdPlaintext {
    const { kernels, degree, tables } = this;
    const period = periodOf(values);
    const logPeriod = Math.log2(period);
    const points = 2 * period;
    const largest = this.#coefficientsOf(values, logPeriod, scale);
    const limbBytes = 8 * points;
    const primes = [...tables.slice(0, level + 1), ...tables.slice(-1)];
    const limbs = this.#allocate(primes.length, limbBytes);
    for (const [i, at] of limbs.entries()) {
      const { prime, forward } = tableAt(primes, i);
      let source = this.#coefficients;
      if (largest >= DIRECT) {
        let digits = 1;
        for (let bound = DIRECT * DIGIT; bound <= largest; bound *= DIGIT) digits++;
        kernels.reduceLarge(this.#scratch, source, points, digits, prime);
        source = this.#scratch;
      }
      kernels.forward(at, source, forward, 8 * degree, logPeriod + 1, prime);
    }
    return { limbs, logRun: this.#logSlots - logPeriod, limbBytes, zero: largest === 0, holders: 1 };
  }

  release(plaintext: SimdPlaintext): void {
    if (--plaintext.holders > 0) return;
    for (const at of plaintext.limbs) this.heap.free(at, plaintext.limbBytes);
  }

  /** Copies a plaintext out of the arithmetic memory. */
  store({ limbs, logRun, limbBytes, zero }: SimdPlaintext): StoredPlaintext<SimdPlaintext> {
    const { heap } = this;
    const bytes = limbs.length * limbBytes;
    const copy = new Uint8Array(bytes);
    limbs.forEach((at, i) => {
      copy.set(heap.bytes(at, limbBytes), i * limbBytes);
    });
    const count = limbs.length;
    const restore = (): SimdPlaintext => {
      const restored = this.#allocate(count, limbBytes);
      restored.forEach((at, i) => {
        heap.bytes(at, limbBytes).set(copy.subarray(i * limbBytes, (i + 1) * limbBytes));
      });
      return { limbs: restored, logRun, limbBytes, zero, holders: 1 };
    };
    return { bytes, restore };
  }

  #allocate(limbs: number, limbBytes: number): Address[] {
    return allOrNone(
      limbs,
      () => this.heap.allocate(limbBytes),
      (at) => this.heap.free(at, limbBytes),
    );
  }

  /** Rounded coefficients of the polynomial in X^(N / 2P); returns the largest magnitude. */
  #coefficientsOf(values: Float64Array, logPeriod: number, scale: number): number {
    const { heap, kernels } = this;
    const period = 2 ** logPeriod;
    const places = this.#placesOf(logPeriod);
    const complex = heap.doubles(this.#values, 2 * period).fill(0);
    places.forEach((place, k) => {
      complex[2 * place] = values[k] ?? 0;
    });
    kernels.fft(this.#values, this.#roots, logPeriod, this.#logSlots);
    return kernels.roundCoefficients(this.#coefficients, this.#values, this.#twists, logPeriod, this.#logSlots, scale / period);
  }

  #placesOf(logPeriod: number): Uint32Array {
    const known = this.#places.get(logPeriod);
    if (known !== undefined) return known;
    const made = slotPlaces(logPeriod);
    this.#places.set(logPeriod, made);
    return made;
  }
}
