import { powMod } from '../parameters/primes.js';
import {
  createFactor,
  createModulus,
  type Factor,
  type Modulus,
  multiplyByFactor,
  multiplyLazy,
  multiplyMod,
  reduce,
  reduceLazy,
  upperHalf,
} from './modulus.js';

// In this file `as number` undoes noUncheckedIndexedAccess: indices stay inside the arrays by the loop bounds, and a test per element would
// double the time of the transform.

/** Powers of a root in bit-reversed order, split for exact products. */
interface Twiddles {
  readonly value: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly overP: Float64Array;
}

/** Tables of the negacyclic number-theoretic transform of one prime; the same root and order as Microsoft SEAL's. */
export interface NttTables {
  readonly degree: number;
  readonly modulus: Modulus;
  readonly forward: Twiddles;
  readonly inverse: Twiddles;
  readonly inverseDegree: Factor;
}

/** Smallest primitive `order`-th root of unity modulo prime (order a power of two dividing prime - 1). */
export function minimalPrimitiveRoot(order: number, prime: bigint): bigint {
  const cofactor = (prime - 1n) / BigInt(order);
  let candidate = 2n;
  let root = powMod(candidate, cofactor, prime);
  // root has order `order` iff root^(order/2) = -1.
  while (powMod(root, BigInt(order / 2), prime) !== prime - 1n) root = powMod(++candidate, cofactor, prime);
  const modulus = createModulus(prime);
  const step = Number((root * root) % prime);
  let current = Number(root);
  let smallest = current;
  for (let i = 0; i < order / 2; i++) {
    current = multiplyMod(current, step, modulus);
    if (current < smallest) smallest = current;
  }
  return BigInt(smallest);
}

/** The lowest `bits` bits in the opposite order. */
export function reverseBits(value: number, bits: number): number {
  let result = 0;
  for (let i = 0, v = value; i < bits; i++, v >>= 1) result = (result << 1) | (v & 1);
  return result;
}

function twiddles(degree: number, root: number, modulus: Modulus): Twiddles {
  const bits = Math.log2(degree);
  const value = new Float64Array(degree);
  for (let i = 0, power = 1; i < degree; i++, power = multiplyMod(power, root, modulus)) value[reverseBits(i, bits)] = power;
  const high = value.map(upperHalf);
  return { value, high, low: value.map((v, i) => v - (high[i] as number)), overP: value.map((v) => v / modulus.value) };
}

export function createNttTables(degree: number, prime: bigint): NttTables {
  const modulus = createModulus(prime);
  const root = minimalPrimitiveRoot(2 * degree, prime);
  const inverseRoot = powMod(root, prime - 2n, prime);
  return {
    degree,
    modulus,
    forward: twiddles(degree, Number(root), modulus),
    inverse: twiddles(degree, Number(inverseRoot), modulus),
    inverseDegree: createFactor(Number(powMod(BigInt(degree), prime - 2n, prime)), modulus),
  };
}

/** Coefficients (natural order, in [0, p)) -> values at the odd powers of the root, bit-reversed. In place. */
export function forwardNtt(a: Float64Array, tables: NttTables): void {
  const { degree, modulus, forward: w } = tables;
  for (let groups = 1, gap = degree >> 1; gap > 0; groups <<= 1, gap >>= 1) {
    for (let group = 0; group < groups; group++) {
      const k = groups + group;
      const value = w.value[k] as number;
      const high = w.high[k] as number;
      const low = w.low[k] as number;
      const overP = w.overP[k] as number;
      const start = 2 * group * gap;
      for (let i = start, j = start + gap; i < start + gap; i++, j++) {
        // |u| <= p/2 and |v| < p: what is stored stays within 3p/2.
        const u = reduceLazy(a[i] as number, modulus);
        const v = multiplyLazy(a[j] as number, value, high, low, overP, modulus);
        a[i] = u + v;
        a[j] = u - v;
      }
    }
  }
  for (let i = 0; i < degree; i++) a[i] = reduce(a[i] as number, modulus);
}

/** Inverse of {@link forwardNtt}, in place. */
export function inverseNtt(a: Float64Array, tables: NttTables): void {
  const { degree, modulus, inverse: w, inverseDegree } = tables;
  for (let groups = degree >> 1, gap = 1; groups > 0; groups >>= 1, gap <<= 1) {
    for (let group = 0; group < groups; group++) {
      const k = groups + group;
      const value = w.value[k] as number;
      const high = w.high[k] as number;
      const low = w.low[k] as number;
      const overP = w.overP[k] as number;
      const start = 2 * group * gap;
      for (let i = start, j = start + gap; i < start + gap; i++, j++) {
        const u = a[i] as number;
        const v = a[j] as number;
        // |u|, |v| < p at every stage, so |u - v| < 2p.
        a[i] = reduceLazy(u + v, modulus);
        a[j] = multiplyLazy(u - v, value, high, low, overP, modulus);
      }
    }
  }
  for (let i = 0; i < degree; i++) a[i] = multiplyByFactor(reduce(a[i] as number, modulus), inverseDegree, modulus);
}
