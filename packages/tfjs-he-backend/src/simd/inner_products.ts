import type { Parameters } from '../parameters/parameters.js';
import type { Heap } from './heap.js';
import type { Address } from './kernels.js';
import { type LimbPool, limbAt, type Polynomial } from './limbs.js';
import type { SwitchingKey, SwitchingKeys } from './switching_keys.js';
import { type PrimeTables, symmetric, tableAt, tableOfLimb } from './tables.js';
import type { TaskKernels } from './threads.js';

/** Added to a polynomial of the result before the automorphism: special prime * polynomial + extended, whose missing limbs are zero. */
export interface Addend {
  readonly polynomial?: Polynomial | undefined;
  readonly extended?: Polynomial | undefined;
}

/** By polynomial. */
export type Addends = readonly [Addend, Addend];

/** A key with its address, and where the two polynomials of its switch go. */
export interface Switch {
  readonly key: SwitchingKey;
  readonly at: Address;
  readonly made: readonly Polynomial[];
}

/** Of one prime: where the two inner products go in the end, and before the automorphism. */
export interface Places {
  readonly limbs: Polynomial;
  readonly products: Polynomial;
}

/** Values `from` .. `from + length - 1` of a limb. `slot` is the place of their list of digits. */
export interface Block {
  readonly slot: number;
  readonly from: number;
  readonly length: number;
}

/** Inner products of digits and keys, modulo one prime at a time: limb i of extended polynomials, the last of the special prime. */
export class InnerProducts {
  /** The special prime modulo the data primes, centred. */
  readonly #specialResidues: readonly number[];
  /** Addresses of digits, for the kernel: a list for every slot. */
  readonly #lists: Address;

  /** @param slots of blocks that are computed at the same time; the first are those of whole limbs, by prime */
  constructor(
    { dataPrimes, specialPrime }: Parameters,
    private readonly heap: Heap,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly keys: SwitchingKeys,
    slots: number,
  ) {
    this.#specialResidues = dataPrimes.map((prime) => symmetric(Number(specialPrime % prime), Number(prime)));
    this.#lists = heap.allocate(4 * tables.length * slots);
  }

  /** Limb i of both polynomials. */
  limb(kernels: TaskKernels, i: number, digits: Polynomial, addends: Addends, one: Switch, places: Places): void {
    this.block(kernels, i, digits, addends, one, places, { slot: i, from: 0, length: this.pool.degree });
    for (const k of [0, 1]) this.permute(kernels, one.key, places, k);
  }

  /** A block of limb i of both, before the automorphism. */
  block(
    kernels: TaskKernels,
    i: number,
    digits: Polynomial,
    addends: Addends,
    { key, at }: Switch,
    places: Places,
    { slot, from, length }: Block,
  ): void {
    const limbs = digits.length;
    const { prime, bits } = tableOfLimb(this.tables, i, limbs);
    const list = this.#lists + 4 * this.tables.length * slot;
    this.heap.words(list, limbs).set(digits.map((digit) => digit.at + 8 * from));
    const part = this.keys.partOf(at, i === limbs ? this.keys.parts : i, from);
    const dst = (k: number): Address => productAt(key, places, k) + 8 * from;
    const base = (k: 0 | 1): Address => this.addend(kernels, dst(k), i, addends[k], from, length);
    kernels.innerProducts(dst(0), dst(1), base(0), base(1), list, limbs, part, this.keys.parts, length, bits, prime);
  }

  /** Where `length` values of limb i of an addend are, from `from` on: at `dst`, if they had to be computed; 0 if they are zero. */
  addend(kernels: TaskKernels, dst: Address, i: number, { polynomial, extended }: Addend, from: number, length: number): Address {
    const [limb, other] = [polynomial?.[i], extended?.[i]];
    const at = other === undefined ? 0 : other.at + 8 * from;
    if (limb === undefined) return at;
    const { prime } = tableAt(this.tables, i);
    const [source, factor] = [limb.at + 8 * from, this.#specialResidues[i] ?? 0];
    if (at === 0) kernels.scale(dst, source, length, factor, prime);
    else kernels.addScaled(dst, at, source, length, factor, prime);
    return dst;
  }

  /** The automorphism of a limb of polynomial k. */
  permute(kernels: TaskKernels, key: SwitchingKey, places: Places, k: number): void {
    if (key.permutation !== 0) kernels.permute(limbAt(places.limbs, k).at, productAt(key, places, k), key.permutation, this.pool.degree);
  }
}

/** Where the inner product k goes: to its place, unless an automorphism takes it there. */
function productAt({ permutation }: SwitchingKey, { limbs, products }: Places, k: number): Address {
  return limbAt(permutation === 0 ? limbs : products, k).at;
}
