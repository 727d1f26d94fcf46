/** Coefficient by coefficient. Operands and results are centred unless said otherwise; n is a multiple of 4; dst may be an operand. */
import { centred, productError, requireWithin, subtractMultiple, timesConstant } from './arithmetic';
import { canonical } from './ntt';

export function add(dst: usize, a: usize, b: usize, n: usize, prime: f64): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  for (let i: usize = 0, end = n << 3; i < end; i += 16)
    v128.store(dst + i, centred(f64x2.add(v128.load(a + i), v128.load(b + i)), p, inverse));
}

export function subtract(dst: usize, a: usize, b: usize, n: usize, prime: f64): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  for (let i: usize = 0, end = n << 3; i < end; i += 16)
    v128.store(dst + i, centred(f64x2.sub(v128.load(a + i), v128.load(b + i)), p, inverse));
}

export function negate(dst: usize, a: usize, n: usize): void {
  for (let i: usize = 0, end = n << 3; i < end; i += 16) v128.store(dst + i, f64x2.neg(v128.load(a + i)));
}

/** dst = a + b, where b has one value for every run of 2^logRun neighbours (logRun >= 1). */
export function addRuns(dst: usize, a: usize, b: usize, logRun: usize, n: usize, prime: f64): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  const run = <usize>8 << logRun;
  for (let i: usize = 0, end = n << 3; i < end; b += 8) {
    const value = v128.load64_splat(b);
    for (const stop = i + run; i < stop; i += 16) v128.store(dst + i, centred(f64x2.add(v128.load(a + i), value), p, inverse));
  }
}

/** a + b * c for a constant c, |c| <= p/2. */
export function addScaled(dst: usize, a: usize, b: usize, n: usize, c: f64, prime: f64): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  const w = f64x2.splat(c);
  const wp = f64x2.splat(c / prime);
  for (let i: usize = 0, end = n << 3; i < end; i += 16)
    v128.store(dst + i, centred(f64x2.add(v128.load(a + i), timesConstant(v128.load(b + i), w, wp, p)), p, inverse));
}

/** a * c for a constant c, |c| <= p/2. */
export function scale(dst: usize, a: usize, n: usize, c: f64, prime: f64): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  const w = f64x2.splat(c);
  const wp = f64x2.splat(c / prime);
  for (let i: usize = 0, end = n << 3; i < end; i += 16) v128.store(dst + i, centred(timesConstant(v128.load(a + i), w, wp, p), p, inverse));
}

/** (a - b) * c for a constant c, |c| <= p/2. |b| <= p. */
export function subtractScale(dst: usize, a: usize, b: usize, n: usize, c: f64, prime: f64): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  const w = f64x2.splat(c);
  const wp = f64x2.splat(c / prime);
  for (let i: usize = 0, end = n << 3; i < end; i += 16)
    v128.store(dst + i, centred(timesConstant(f64x2.sub(v128.load(a + i), v128.load(b + i)), w, wp, p), p, inverse));
}

/** [0, p) from centred. */
export function toCanonical(dst: usize, a: usize, n: usize, prime: f64): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  for (let i: usize = 0, end = n << 3; i < end; i += 16) v128.store(dst + i, canonical(centred(v128.load(a + i), p, inverse), p));
}

/** The representative in [-(p-1)/2, (p-1)/2] of one in [0, p). */
export function toSymmetric(dst: usize, a: usize, n: usize, prime: f64): void {
  const p = f64x2.splat(prime);
  const half = f64x2.splat((prime - 1.0) / 2.0);
  for (let i: usize = 0, end = n << 3; i < end; i += 16) {
    const x = v128.load(a + i);
    v128.store(dst + i, f64x2.sub(x, v128.and(p, f64x2.gt(x, half))));
  }
}

/**
 * Coefficients x in [0, p) of a polynomial, as X -> X^g would lift them: x where the automorphism keeps the sign, x - p (0 for 0) where it
 * flips it. So that digits taken before an automorphism are those SEAL takes after it.
 */
export function liftFor(dst: usize, a: usize, n: usize, g: usize, prime: f64): void {
  const order = (n << 1) - 1;
  let exponent: usize = 0;
  for (let i: usize = 0, end = n << 3; i < end; i += 8) {
    const x = load<f64>(a + i);
    store<f64>(dst + i, exponent >= n && x > 0.0 ? x - prime : x);
    exponent = (exponent + g) & order;
  }
}

/**
 * dst[i] = src[table[i]] for the table of an automorphism, which takes pairs of neighbours to pairs of neighbours: their exponents differ by n, and so do odd multiples
 * of them modulo 2n. Not in place.
 */
export function permute(dst: usize, src: usize, table: usize, n: usize): void {
  for (let end = dst + (n << 3); dst < end; dst += 16, table += 8) {
    const at = <usize>load<u32>(table) << 3;
    v128.store(dst, v128.load64_lane(src + (at ^ 8), v128.load64_zero(src + at), 1));
  }
}

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

/** How far ahead of its use a key is touched. */
const AHEAD: i32 = 1024;

/** Reads a byte of every cache line from `at` to `at + bytes`: keys stream from memory, which the processor by itself starts to fetch too late. */
// @ts-ignore: decorator
@inline
function touch(at: usize, bytes: usize): void {
  for (let line = at; line < at + bytes; line += 64) load<u8>(line);
}

/**
 * The inner products of a key switch: dst_k = base_k + sum over j < count of digits_j * key_jk, k = 0, 1; a base is left out where its address is 0, and may be dst_k.
 * `digits` lists addresses (u32). The key of this prime is laid out for one pass: for every pair of coefficients, for each of `parts` digits, for k = 0, 1: two doubles.
 */
export function innerProducts(
  dst0: usize,
  dst1: usize,
  base0: usize,
  base1: usize,
  digits: usize,
  count: i32,
  key: usize,
  parts: i32,
  n: usize,
  bits: i32,
  prime: f64,
): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  const offset = f64x2.splat(sumOffset(bits));
  const zero = f64x2.splat(0);
  const length = sumLength(bits);
  const row = <usize>parts << 5;
  const ahead = row * <usize>max(2, AHEAD / <i32>row);
  const lastRows = key + row * ((n >> 1) - 2);
  for (let first = 0; first < count; first += length) {
    const list = digits + (<usize>first << 2);
    const stop = list + (<usize>min(length, count - first) << 2);
    let keys = key + (<usize>first << 5);
    for (let i: usize = 0, end = n << 3; i < end; i += 32, keys += row << 1) {
      const next = min(keys + ahead, lastRows);
      touch(next, <usize>(stop - list) << 3);
      touch(next + row, <usize>(stop - list) << 3);
      let h0 = offset;
      let h1 = offset;
      let h2 = offset;
      let h3 = offset;
      let r0 = zero;
      let r1 = zero;
      let r2 = zero;
      let r3 = zero;
      if (first == 0) {
        if (base0 != 0) {
          r0 = v128.load(base0 + i);
          r2 = v128.load(base0 + i, 16);
        }
        if (base1 != 0) {
          r1 = v128.load(base1 + i);
          r3 = v128.load(base1 + i, 16);
        }
      }
      let k = keys;
      for (let at = list; at < stop; at += 4, k += 32) {
        const digit = <usize>load<u32>(at) + i;
        const a = v128.load(digit);
        const k0 = v128.load(k);
        const n0 = sumHigh(a, k0, h0);
        r0 = sumRest(a, k0, h0, n0, r0);
        h0 = n0;
        const k1 = v128.load(k, 16);
        const n1 = sumHigh(a, k1, h1);
        r1 = sumRest(a, k1, h1, n1, r1);
        h1 = n1;
        const b = v128.load(digit, 16);
        const k2 = v128.load(k + row);
        const n2 = sumHigh(b, k2, h2);
        r2 = sumRest(b, k2, h2, n2, r2);
        h2 = n2;
        const k3 = v128.load(k + row, 16);
        const n3 = sumHigh(b, k3, h3);
        r3 = sumRest(b, k3, h3, n3, r3);
        h3 = n3;
      }
      let s0 = sumResidue(h0, r0, offset, p, inverse);
      let s1 = sumResidue(h1, r1, offset, p, inverse);
      let s2 = sumResidue(h2, r2, offset, p, inverse);
      let s3 = sumResidue(h3, r3, offset, p, inverse);
      if (first > 0) {
        s0 = centred(f64x2.add(s0, v128.load(dst0 + i)), p, inverse);
        s1 = centred(f64x2.add(s1, v128.load(dst1 + i)), p, inverse);
        s2 = centred(f64x2.add(s2, v128.load(dst0 + i, 16)), p, inverse);
        s3 = centred(f64x2.add(s3, v128.load(dst1 + i, 16)), p, inverse);
      }
      v128.store(dst0 + i, s0);
      v128.store(dst1 + i, s1);
      v128.store(dst0 + i, s2, 16);
      v128.store(dst1 + i, s3, 16);
    }
  }
}

/**
 * Writes one polynomial (in [0, p)) of a key into the layout that {@link innerProducts} reads: part `part` of `parts`, polynomial `which` (0 or 1).
 * `table`, if not 0, is the permutation of the key's automorphism, which is undone: the inner product then belongs to digits taken before it.
 */
export function placeKey(dst: usize, src: usize, table: usize, n: usize, parts: usize, part: usize, which: usize, prime: f64): void {
  const half = (prime - 1.0) / 2.0;
  const base = dst + (part << 5) + (which << 4);
  for (let i: usize = 0; i < n; i++) {
    const x = load<f64>(src + (i << 3));
    const to = table == 0 ? i : <usize>load<u32>(table + (i << 2));
    store<f64>(base + (to >> 1) * (parts << 5) + ((to & 1) << 3), x > half ? x - prime : x);
  }
}
