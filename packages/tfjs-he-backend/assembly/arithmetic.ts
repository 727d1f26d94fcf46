/**
 * Exact arithmetic modulo primes p < 2^50 on pairs of doubles. Residues are integers held as doubles, usually *centred*: |x| <= p/2 + 1.
 *
 * Two builds are made of this source, and checked ones for tests. FUSED = 1 uses relaxed_madd, on machines where it rounds once (the host probes that); FUSED = 0 gets the
 * error of a product by Dekker's method (Numer. Math. 18, 1971), which is slower and needs nothing but IEEE 754.
 */

// Constants are loaded from memory: V8 makes a vector of a constant anew at every use, in three instructions that compete with the arithmetic.

/** A pair of 1.5 * 2^52: adding and subtracting it rounds |x| <= 2^51 to the nearest integer. */
const ROUNDER: usize = memory.data<f64>([6755399441055744.0, 6755399441055744.0], 16);
/** A pair of 2^27 + 1: Veltkamp's constant for splitting a significand in halves. */
const SPLITTER: usize = memory.data<f64>([134217729.0, 134217729.0], 16);

/** In a checked build: stops unless |x| <= bound. */
// @ts-ignore: decorator
@inline
export function requireWithin(x: v128, bound: v128): void {
  if (CHECKED && !i64x2.all_true(f64x2.le(f64x2.abs(x), bound))) unreachable();
}

// @ts-ignore: decorator
@inline
function upperHalf(x: v128): v128 {
  const c = f64x2.mul(v128.load(SPLITTER), x);
  return f64x2.sub(c, f64x2.sub(c, x));
}

/** h - a * b, exactly, for h = a * b rounded. */
// @ts-ignore: decorator
@inline
export function productError(a: v128, b: v128, h: v128): v128 {
  if (FUSED) return f64x2.relaxed_nmadd(a, b, h);
  const ah = upperHalf(a);
  const al = f64x2.sub(a, ah);
  const bh = upperHalf(b);
  const bl = f64x2.sub(b, bh);
  let e = f64x2.sub(h, f64x2.mul(ah, bh));
  e = f64x2.sub(e, f64x2.mul(ah, bl));
  e = f64x2.sub(e, f64x2.mul(al, bh));
  return f64x2.sub(e, f64x2.mul(al, bl));
}

/**
 * h - q * p where that is a representable integer. Without fusion: m = q * p rounded is either within a factor of two of h, or both are integers
 * below 2^53; so h - m is exact, and the sum of the two exact parts is the integer wanted.
 */
// @ts-ignore: decorator
@inline
export function subtractMultiple(h: v128, q: v128, p: v128): v128 {
  if (FUSED) return f64x2.relaxed_nmadd(q, p, h);
  const m = f64x2.mul(q, p);
  return f64x2.add(f64x2.sub(h, m), productError(q, p, m));
}

/** a * b rounded to an integer, for |a * b| <= 2^51; off by at most 1/2 and |a * b| 2^-53 (the latter only without fusion). */
// @ts-ignore: decorator
@inline
function roundedProduct(a: v128, b: v128): v128 {
  const r = v128.load(ROUNDER);
  if (CHECKED) requireWithin(f64x2.mul(a, b), f64x2.splat(2251799813685248.0));
  if (FUSED) return f64x2.sub(f64x2.relaxed_madd(a, b, r), r);
  return f64x2.sub(f64x2.add(f64x2.mul(a, b), r), r);
}

/** Centred residue of an integer |x| < 2^53 with |x / p| <= 2^33: the quotient is off by at most 1/2 + 2^-18, the result within p/2 + 1. */
// @ts-ignore: decorator
@inline
export function centred(x: v128, p: v128, inverse: v128): v128 {
  if (CHECKED) requireWithin(x, f64x2.splat(9007199254740992.0));
  const r = subtractMultiple(x, roundedProduct(x, inverse), p);
  if (CHECKED) requireWithin(r, f64x2.add(f64x2.mul(p, f64x2.splat(0.5)), f64x2.splat(1)));
  return r;
}

/**
 * a * w mod p for a constant w, |w| <= p/2, and overP = w / p rounded; for |a| = b * 2^50, b <= 4. The quotient is off by 1/2, by |a| 2^-55 (overP) and,
 * without fusion, by |a| 2^-54 (its rounding): the result is within (1/2 + 3b/32) p of zero. The high part minus the multiple of p is an integer
 * below 2^53, as is the result, so both sums are exact.
 */
// @ts-ignore: decorator
@inline
export function timesConstant(a: v128, w: v128, overP: v128, p: v128): v128 {
  const h = f64x2.mul(a, w);
  const error = productError(a, w, h);
  const r = f64x2.sub(subtractMultiple(h, roundedProduct(a, overP), p), error);
  if (CHECKED) {
    const b = f64x2.mul(f64x2.abs(a), f64x2.splat(8.8817841970012523e-16));
    requireWithin(b, f64x2.splat(4));
    requireWithin(w, f64x2.mul(p, f64x2.splat(0.5)));
    requireWithin(r, f64x2.mul(p, f64x2.add(f64x2.splat(0.5), f64x2.mul(b, f64x2.splat(0.09375)))));
  }
  return r;
}

/** a * b mod p for |a|, |b| <= p: |a b / p| <= 2^50, the quotient is off by at most 1/2 + 3/8. */
// @ts-ignore: decorator
@inline
export function times(a: v128, b: v128, p: v128, inverse: v128): v128 {
  if (CHECKED) {
    requireWithin(a, p);
    requireWithin(b, p);
  }
  const h = f64x2.mul(a, b);
  const error = productError(a, b, h);
  return f64x2.sub(subtractMultiple(h, roundedProduct(h, inverse), p), error);
}

/** [0, p) from (-p, p). */
// @ts-ignore: decorator
@inline
export function canonical(x: v128, p: v128): v128 {
  if (CHECKED) requireWithin(x, f64x2.sub(p, f64x2.splat(1)));
  return f64x2.add(x, v128.and(p, f64x2.lt(x, f64x2.splat(0))));
}

/** The first of each pair. */
// @ts-ignore: decorator
@inline
export function low(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 0, 2);
}

/** The second of each pair. */
// @ts-ignore: decorator
@inline
export function high(a: v128, b: v128): v128 {
  return v128.shuffle<f64>(a, b, 1, 3);
}
