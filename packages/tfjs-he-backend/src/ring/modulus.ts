/**
 * Exact arithmetic modulo primes of at most 50 bits in doubles. A product of two residues has up to 100 bits; Dekker's method
 * (Numer. Math. 18, 1971) gives it as an unevaluated sum high + low of two doubles, so the remainder after subtracting
 * round(product / p) * p is exact.
 */

// 2^27 + 1: Veltkamp's constant for splitting a 53-bit significand in two halves.
const SPLITTER = 134217729;
// Adding and subtracting 1.5 * 2^52 rounds |x| < 2^51 to the nearest integer.
const ROUNDER = 6755399441055744;

/** The upper half of x: x - upperHalf(x) has at most 26 bits. */
export function upperHalf(x: number): number {
  const c = SPLITTER * x;
  return c - (c - x);
}

/** A prime with what its arithmetic needs, computed once. */
export interface Modulus {
  readonly value: number;
  readonly inverse: number;
  readonly high: number;
  readonly low: number;
}

export function createModulus(prime: bigint): Modulus {
  const value = Number(prime);
  const high = upperHalf(value);
  return { value, inverse: 1 / value, high, low: value - high };
}

/**
 * a * b mod p, not normalised: in (-p, p), and within 3p/4 for |a| < p. For |a| < 2p and 0 <= b < p < 2^50; `bOverP` is b / p rounded: the
 * quotient is off by |a| 2^-52 and by rounding, together less than 1. No branches: half of them would be mispredicted.
 */
export function multiplyLazy(a: number, b: number, bHigh: number, bLow: number, bOverP: number, m: Modulus): number {
  const aHigh = upperHalf(a);
  const aLow = a - aHigh;
  const product = a * b;
  const productLow = aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
  const quotient = a * bOverP + ROUNDER - ROUNDER;
  const qHigh = upperHalf(quotient);
  const qLow = quotient - qHigh;
  const multiple = quotient * m.value;
  const multipleLow = qHigh * m.high - multiple + qHigh * m.low + qLow * m.high + qLow * m.low;
  return product - multiple + (productLow - multipleLow);
}

/** x - round(x / p) * p, for integers |x| < 2p; in about [-p/2, p/2], without branches. */
export function reduceLazy(x: number, m: Modulus): number {
  return x - (x * m.inverse + ROUNDER - ROUNDER) * m.value;
}

/** a * b mod p for residues a, b in [0, p). */
export function multiplyMod(a: number, b: number, m: Modulus): number {
  const bHigh = upperHalf(b);
  const product = multiplyLazy(a, b, bHigh, b - bHigh, b / m.value, m);
  return product < 0 ? product + m.value : product;
}

/** x mod p, in [0, p), for an integer |x| < 2^53 - p: exact, and much faster than the operator %. */
export function reduce(x: number, m: Modulus): number {
  const remainder = x - Math.floor(x * m.inverse) * m.value;
  return remainder < 0 ? remainder + m.value : remainder >= m.value ? remainder - m.value : remainder;
}

/** A constant factor in [0, p), prepared for many products. */
export interface Factor {
  readonly value: number;
  readonly high: number;
  readonly low: number;
  readonly overP: number;
}

export function createFactor(value: number, m: Modulus): Factor {
  const high = upperHalf(value);
  return { value, high, low: value - high, overP: value / m.value };
}

/** a * factor mod p for a residue a in [0, p). Result in [0, p). */
export function multiplyByFactor(a: number, factor: Factor, m: Modulus): number {
  const product = multiplyLazy(a, factor.value, factor.high, factor.low, factor.overP, m);
  return product < 0 ? product + m.value : product;
}
