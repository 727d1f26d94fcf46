/** Sums of products, reduced once. Operands and results are centred; n is a multiple of 8. */
import { centred, productError, requireWithin, subtractMultiple } from './arithmetic';

/**
 * A sum of products as two doubles. `high` starts at 1.5 * 2^k and stays within [2^k, 2^(k+1)), so every addition rounds to a multiple of 2^(k-52): the
 * part of a product that it takes up is the exact difference of two values of `high`, and what is left is an integer of at most 2^(k-53).
 *
 * For p < 2^b and centred factors (product below 2^(2b-2)), 2^t products with t = min(53 - b, 6) and k = t + 2b - 1: |high - 1.5 * 2^k| <= 2^(k-1), and the
 * sum of what is left is at most 2^(t+k-53) <= 2^52 (without fusion, the products' own rounding adds 2^(t+2b-55) <= 2^49).
 */
// @ts-ignore: decorator
@inline
export function sumOffset(bits: i32): f64 {
  const t = min(53 - bits, 6);
  return 1.5 * reinterpret<f64>(<u64>(1023 + t + 2 * bits - 1) << 52);
}

// @ts-ignore: decorator
@inline
export function sumLength(bits: i32): i32 {
  return 1 << min(53 - bits, 6);
}

// @ts-ignore: decorator
@inline
export function sumHigh(a: v128, b: v128, high: v128): v128 {
  return FUSED ? f64x2.relaxed_madd(a, b, high) : f64x2.add(f64x2.mul(a, b), high);
}

/** a * b - (next - high) + rest. */
// @ts-ignore: decorator
@inline
export function sumRest(a: v128, b: v128, high: v128, next: v128, rest: v128): v128 {
  if (FUSED) return f64x2.add(rest, f64x2.relaxed_madd(a, b, f64x2.sub(high, next)));
  const h = f64x2.mul(a, b);
  return f64x2.add(rest, f64x2.sub(f64x2.add(h, f64x2.sub(high, next)), productError(a, b, h)));
}

/**
 * The sum modulo p, centred. |high - offset| <= 2^(t+2b-2), so the quotient is at most 2^(t+b-1) <= 2^52 and off by 1/2 and 1: the difference is an integer
 * within 3p/2, with the rest, to which a residue may have been added (p/2), below 2^53.
 */
// @ts-ignore: decorator
@inline
export function sumResidue(high: v128, rest: v128, offset: v128, p: v128, inverse: v128): v128 {
  const s = f64x2.sub(high, offset);
  if (CHECKED) {
    requireWithin(s, f64x2.mul(offset, f64x2.splat(0.33333333333333331)));
    requireWithin(rest, f64x2.splat(5629499534213120.0)); // 2^52 + 2^49, and a base
  }
  const q = f64x2.nearest(f64x2.mul(s, inverse));
  return centred(f64x2.add(subtractMultiple(s, q, p), rest), p, inverse);
}

/**
 * dst = (accumulate ? dst : 0) + sum of a_i * b_i. `pairs` lists `count` pairs of addresses (u32). A pair's second operand has one value for every run of
 * 2^logRun neighbours.
 */
export function sumOfProducts(dst: usize, pairs: usize, count: i32, logRun: i32, n: usize, bits: i32, prime: f64, accumulate: bool): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  const offset = f64x2.splat(sumOffset(bits));
  const length = sumLength(bits);
  for (let first = 0; first < count; first += length) {
    const list = pairs + (<usize>first << 3);
    const stop = list + (<usize>min(length, count - first) << 3);
    const add = accumulate || first > 0;
    if (logRun >= 3) sumLongRuns(dst, list, stop, logRun, n, p, inverse, offset, add);
    else if (logRun > 0) sumRuns(dst, list, stop, logRun, n, p, inverse, offset, add);
    else sumPlain(dst, list, stop, n, p, inverse, offset, add);
  }
}

// @ts-ignore: decorator
@inline
function sumPlain(dst: usize, list: usize, stop: usize, n: usize, p: v128, inverse: v128, offset: v128, accumulate: bool): void {
  const zero = f64x2.splat(0);
  for (let i: usize = 0, end = n << 3; i < end; i += 32) {
    let h0 = offset;
    let h1 = offset;
    let r0 = zero;
    let r1 = zero;
    for (let at = list; at < stop; at += 8) {
      const a = <usize>load<u32>(at) + i;
      const b = <usize>load<u32>(at, 4) + i;
      const a0 = v128.load(a);
      const b0 = v128.load(b);
      const n0 = sumHigh(a0, b0, h0);
      r0 = sumRest(a0, b0, h0, n0, r0);
      h0 = n0;
      const a1 = v128.load(a, 16);
      const b1 = v128.load(b, 16);
      const n1 = sumHigh(a1, b1, h1);
      r1 = sumRest(a1, b1, h1, n1, r1);
      h1 = n1;
    }
    let s0 = sumResidue(h0, r0, offset, p, inverse);
    let s1 = sumResidue(h1, r1, offset, p, inverse);
    if (accumulate) {
      s0 = centred(f64x2.add(s0, v128.load(dst + i)), p, inverse);
      s1 = centred(f64x2.add(s1, v128.load(dst + i, 16)), p, inverse);
    }
    v128.store(dst + i, s0);
    v128.store(dst + i, s1, 16);
  }
}

// @ts-ignore: decorator
@inline
function sumRuns(
  dst: usize,
  list: usize,
  stop: usize,
  logRun: i32,
  n: usize,
  p: v128,
  inverse: v128,
  offset: v128,
  accumulate: bool,
): void {
  const zero = f64x2.splat(0);
  for (let i: usize = 0, end = n << 3; i < end; i += 16) {
    const j = (i >> (3 + logRun)) << 3;
    let h = offset;
    let r = zero;
    for (let at = list; at < stop; at += 8) {
      const a = v128.load(<usize>load<u32>(at) + i);
      const b = v128.load64_splat(<usize>load<u32>(at, 4) + j);
      const next = sumHigh(a, b, h);
      r = sumRest(a, b, h, next, r);
      h = next;
    }
    storeSum(dst + i, sumResidue(h, r, offset, p, inverse), p, inverse, accumulate);
  }
}

/** The same for runs of at least eight values: a cache line of eight at a time. */
// @ts-ignore: decorator
@inline
function sumLongRuns(
  dst: usize,
  list: usize,
  stop: usize,
  logRun: i32,
  n: usize,
  p: v128,
  inverse: v128,
  offset: v128,
  accumulate: bool,
): void {
  const zero = f64x2.splat(0);
  for (let i: usize = 0, end = n << 3; i < end; i += 64) {
    const j = (i >> (3 + logRun)) << 3;
    let h0 = offset;
    let h1 = offset;
    let h2 = offset;
    let h3 = offset;
    let r0 = zero;
    let r1 = zero;
    let r2 = zero;
    let r3 = zero;
    for (let at = list; at < stop; at += 8) {
      const a = <usize>load<u32>(at) + i;
      const b = v128.load64_splat(<usize>load<u32>(at, 4) + j);
      const a0 = v128.load(a);
      const n0 = sumHigh(a0, b, h0);
      r0 = sumRest(a0, b, h0, n0, r0);
      h0 = n0;
      const a1 = v128.load(a, 16);
      const n1 = sumHigh(a1, b, h1);
      r1 = sumRest(a1, b, h1, n1, r1);
      h1 = n1;
      const a2 = v128.load(a, 32);
      const n2 = sumHigh(a2, b, h2);
      r2 = sumRest(a2, b, h2, n2, r2);
      h2 = n2;
      const a3 = v128.load(a, 48);
      const n3 = sumHigh(a3, b, h3);
      r3 = sumRest(a3, b, h3, n3, r3);
      h3 = n3;
    }
    storeSum(dst + i, sumResidue(h0, r0, offset, p, inverse), p, inverse, accumulate);
    storeSum(dst + i + 16, sumResidue(h1, r1, offset, p, inverse), p, inverse, accumulate);
    storeSum(dst + i + 32, sumResidue(h2, r2, offset, p, inverse), p, inverse, accumulate);
    storeSum(dst + i + 48, sumResidue(h3, r3, offset, p, inverse), p, inverse, accumulate);
  }
}

// @ts-ignore: decorator
@inline
function storeSum(dst: usize, s: v128, p: v128, inverse: v128, accumulate: bool): void {
  v128.store(dst, accumulate ? centred(f64x2.add(s, v128.load(dst)), p, inverse) : s);
}
