/**
 * Negacyclic number-theoretic transform with Microsoft SEAL's roots and order: coefficients in natural order <-> values at the odd powers of the
 * smallest primitive 2N-th root, bit-reversed. Two stages are done at a time (radix 4).
 *
 * A table holds N twiddles w (centred, bit-reversed) and then the N quotients w / p. The table of a shorter transform is a prefix of each half.
 */
import { centred, high, low, timesConstant } from './arithmetic';

/**
 * `logN` >= 3. Input: integers |x| <= 2^50 (not necessarily reduced), output: centred. `overP` is the byte distance between the halves of the table.
 *
 * Bounds in units of 2^50 (p is below it): |x| <= b at first, b = 1; a stage adds r = 1/2 + 3b/32. Single stage (odd logN): 1.6. A pass of two stages that first reduces what
 * is not multiplied: from 1.6 to 1.2, 1.8; a plain one: from 1 to 1.6, 2.3, from 1.8 to 2.5, 3.2. They alternate: reducing, from 3.2: 1.3, 1.95; plain: 2.65, 3.4;
 * reducing: 1.35, 2.0; plain: 2.7, 3.45; and so on. The last pass is plain and the one before it reduces, so products are taken of |a| <= 3.45 * 2^50 (4 are
 * allowed) and nothing exceeds 2^52. Below 2^48 a stage adds at most (1/2 + 3b/32) / 4, which is b = 3.7 after the 15 stages of 32768 points: nothing needs to be
 * reduced on the way.
 */
export function forward(dst: usize, src: usize, table: usize, overP: usize, logN: i32, prime: f64): void {
  const from = forwardPasses(dst, src, table, overP, logN, prime);
  forwardLast(dst, from, table, overP, logN, prime, 0, 0, 0, false);
}

/**
 * (a - transform of src) * c + d for a constant c, |c| <= p/2; without d where its address is 0. The division by the last prime in a rescale or by the special prime
 * after a key switch, for the remainder `src`; bounds as for {@link forward}: the difference is of at most 3.95 * 2^50. `scratch` has place for the transform, and is
 * not dst, a or d.
 */
export function forwardSubtractScale(
  dst: usize,
  src: usize,
  scratch: usize,
  a: usize,
  d: usize,
  table: usize,
  overP: usize,
  logN: i32,
  c: f64,
  prime: f64,
): void {
  const from = forwardPasses(scratch, src, table, overP, logN, prime);
  forwardLast(dst, from, table, overP, logN, prime, a, d, c, true);
}

/** All stages but the last two; returns where the values are: dst, unless there was nothing to do. */
function forwardPasses(dst: usize, src: usize, table: usize, overP: usize, logN: i32, prime: f64): usize {
  const n: usize = <usize>1 << logN;
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  let from = src;
  let m: usize = 1;
  if (logN & 1) {
    const w = v128.load64_splat(table + 8);
    const wp = v128.load64_splat(table + overP + 8);
    const half = n << 2;
    for (let i: usize = 0; i < half; i += 16) {
      const u = v128.load(from + i);
      const v = timesConstant(v128.load(from + half + i), w, wp, p);
      v128.store(dst + i, f64x2.add(u, v));
      v128.store(dst + half + i, f64x2.sub(u, v));
    }
    from = dst;
    m = 2;
  }
  const large = prime >= 281474976710656.0;
  // Of logN / 2 passes in all the last but one reduces.
  let reducing = large && ((logN >> 1) & 1) == 0;
  for (let quarter: usize = n / (m << 2); quarter > 1; quarter >>= 2) {
    if (reducing) forwardPass(dst, from, table, overP, m, quarter << 3, p, inverse, true);
    else forwardPass(dst, from, table, overP, m, quarter << 3, p, inverse, false);
    reducing = large && !reducing;
    from = dst;
    m <<= 2;
  }
  return from;
}

/** Two stages over m groups of four blocks of `quarter` bytes. */
// @ts-ignore: decorator
@inline
function forwardPass(
  dst: usize,
  src: usize,
  table: usize,
  overP: usize,
  m: usize,
  quarter: usize,
  p: v128,
  inverse: v128,
  reduce: bool,
): void {
  const half = quarter << 1;
  const last = quarter + half;
  for (let g: usize = 0; g < m; g++) {
    const one = table + ((m + g) << 3);
    const two = table + ((m + g) << 4);
    const w1 = v128.load64_splat(one);
    const w1p = v128.load64_splat(one + overP);
    const w2 = v128.load64_splat(two);
    const w2p = v128.load64_splat(two + overP);
    const w3 = v128.load64_splat(two, 8);
    const w3p = v128.load64_splat(two + overP, 8);
    let from = src + g * (quarter << 2);
    let to = dst + g * (quarter << 2);
    for (const end = from + quarter; from < end; from += 16, to += 16) {
      let u0 = v128.load(from);
      let u1 = v128.load(from + quarter);
      if (reduce) {
        u0 = centred(u0, p, inverse);
        u1 = centred(u1, p, inverse);
      }
      const v0 = timesConstant(v128.load(from + half), w1, w1p, p);
      const v1 = timesConstant(v128.load(from + last), w1, w1p, p);
      const y0 = f64x2.add(u0, v0);
      const y2 = f64x2.sub(u0, v0);
      const z0 = timesConstant(f64x2.add(u1, v1), w2, w2p, p);
      const z2 = timesConstant(f64x2.sub(u1, v1), w3, w3p, p);
      v128.store(to, f64x2.add(y0, z0));
      v128.store(to + quarter, f64x2.sub(y0, z0));
      v128.store(to + half, f64x2.add(y2, z2));
      v128.store(to + last, f64x2.sub(y2, z2));
    }
  }
}

/** The last two stages, on two groups of four neighbours at a time; then everything is centred, if `divide` after what {@link forwardSubtractScale} does. */
// @ts-ignore: decorator
@inline
function forwardLast(
  dst: usize,
  src: usize,
  table: usize,
  overP: usize,
  logN: i32,
  prime: f64,
  minuends: usize,
  addends: usize,
  factor: f64,
  divide: bool,
): void {
  const m: usize = <usize>1 << (logN - 2);
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  const scale = f64x2.splat(factor);
  const scaleP = f64x2.splat(factor / prime);
  let one = table + (m << 3);
  let two = table + (m << 4);
  let from = src;
  let to = dst;
  for (const end = src + (m << 5); from < end; from += 64, to += 64, one += 16, two += 32) {
    const a = v128.load(from);
    const b = v128.load(from, 16);
    const c = v128.load(from, 32);
    const d = v128.load(from, 48);
    const w1 = v128.load(one);
    const w1p = v128.load(one + overP);
    const e = v128.load(two);
    const f = v128.load(two, 16);
    const ep = v128.load(two + overP);
    const fp = v128.load(two + overP, 16);
    const u0 = low(a, c);
    const u1 = high(a, c);
    const v0 = timesConstant(low(b, d), w1, w1p, p);
    const v1 = timesConstant(high(b, d), w1, w1p, p);
    const y0 = f64x2.add(u0, v0);
    const y2 = f64x2.sub(u0, v0);
    const z0 = timesConstant(f64x2.add(u1, v1), low(e, f), low(ep, fp), p);
    const z2 = timesConstant(f64x2.sub(u1, v1), high(e, f), high(ep, fp), p);
    const x0 = f64x2.add(y0, z0);
    const x1 = f64x2.sub(y0, z0);
    const x2 = f64x2.add(y2, z2);
    const x3 = f64x2.sub(y2, z2);
    if (divide) {
      const at = minuends + (to - dst);
      const plus: usize = addends == 0 ? 0 : addends + (to - dst);
      v128.store(to, quotient(v128.load(at), low(x0, x1), plus, scale, scaleP, p, inverse));
      v128.store(to, quotient(v128.load(at, 16), low(x2, x3), plus == 0 ? 0 : plus + 16, scale, scaleP, p, inverse), 16);
      v128.store(to, quotient(v128.load(at, 32), high(x0, x1), plus == 0 ? 0 : plus + 32, scale, scaleP, p, inverse), 32);
      v128.store(to, quotient(v128.load(at, 48), high(x2, x3), plus == 0 ? 0 : plus + 48, scale, scaleP, p, inverse), 48);
    } else {
      const r0 = centred(x0, p, inverse);
      const r1 = centred(x1, p, inverse);
      const r2 = centred(x2, p, inverse);
      const r3 = centred(x3, p, inverse);
      v128.store(to, low(r0, r1));
      v128.store(to, low(r2, r3), 16);
      v128.store(to, high(r0, r1), 32);
      v128.store(to, high(r2, r3), 48);
    }
  }
}

/** (a - x) * scale, plus what is at `plus` unless that is 0; centred. */
// @ts-ignore: decorator
@inline
function quotient(a: v128, x: v128, plus: usize, scale: v128, scaleP: v128, p: v128, inverse: v128): v128 {
  let r = timesConstant(f64x2.sub(a, x), scale, scaleP, p);
  if (plus != 0) r = f64x2.add(r, v128.load(plus));
  return centred(r, p, inverse);
}
