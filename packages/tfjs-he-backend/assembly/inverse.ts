/** The inverse of forward.ts, two stages at a time. */
import { canonical, centred, high, low, timesConstant } from './arithmetic';

/**
 * Inverse of {@link forward}. `logN` >= 3. Input: |x| <= p. Output: residues in [0, p). The table is that of the inverse root, with 1 / N in place of
 * its (unused) first entry and 1 / N times the second in place of that, which the last stage uses.
 *
 * Bounds in units of 2^50: b <= 1.3 at the start of a pass. Stage one: sums 2.6, reduced to 1/2; products of |a| <= 2.6: r = 0.75. Stage two: sums of sums 1,
 * of products 1.5, products of |a| <= 1.5: 0.65. The second sum is at 1.5, in the next pass (where the four operands have the same place): sums 3, products
 * of |a| <= 3: 0.79, sums of them 1.58; then 3.2, 0.8, 1.6; so it stays below 1.7 and products are taken of |a| <= 3.4.
 */
export function inverse(dst: usize, src: usize, table: usize, overP: usize, logN: i32, prime: f64): void {
  const n: usize = <usize>1 << logN;
  const p = f64x2.splat(prime);
  const inv = f64x2.splat(1.0 / prime);
  const scale = v128.load64_splat(table);
  const scaleP = v128.load64_splat(table + overP);
  inverseFirst(dst, src, table, overP, n >> 2, p, inv);
  let m: usize = n >> 4;
  let quarter: usize = 4;
  for (; m > 1; m >>= 2, quarter <<= 2) inversePass(dst, table, overP, m, quarter << 3, p, inv, false, scale, scaleP);
  if (logN & 1) {
    const w = v128.load64_splat(table, 8);
    const wp = v128.load64_splat(table + overP, 8);
    const half = n << 2;
    for (let at = dst, end = dst + half; at < end; at += 16) {
      const u = v128.load(at);
      const v = v128.load(at + half);
      v128.store(at, canonical(timesConstant(f64x2.add(u, v), scale, scaleP, p), p));
      v128.store(at + half, canonical(timesConstant(f64x2.sub(u, v), w, wp, p), p));
    }
  } else inversePass(dst, table, overP, 1, quarter << 3, p, inv, true, scale, scaleP);
}

// @ts-ignore: decorator
@inline
function inversePass(
  dst: usize,
  table: usize,
  overP: usize,
  m: usize,
  quarter: usize,
  p: v128,
  inv: v128,
  last: bool,
  scale: v128,
  scaleP: v128,
): void {
  const half = quarter << 1;
  const three = quarter + half;
  for (let g: usize = 0; g < m; g++) {
    const one = table + ((m + g) << 3);
    const two = table + ((m + g) << 4);
    const w1 = v128.load64_splat(one);
    const w1p = v128.load64_splat(one + overP);
    const w2 = v128.load64_splat(two);
    const w2p = v128.load64_splat(two + overP);
    const w3 = v128.load64_splat(two, 8);
    const w3p = v128.load64_splat(two + overP, 8);
    let at = dst + g * (quarter << 2);
    for (const end = at + quarter; at < end; at += 16) {
      const x0 = v128.load(at);
      const x1 = v128.load(at + quarter);
      const x2 = v128.load(at + half);
      const x3 = v128.load(at + three);
      const y0 = centred(f64x2.add(x0, x1), p, inv);
      const y1 = timesConstant(f64x2.sub(x0, x1), w2, w2p, p);
      const y2 = centred(f64x2.add(x2, x3), p, inv);
      const y3 = timesConstant(f64x2.sub(x2, x3), w3, w3p, p);
      const z2 = timesConstant(f64x2.sub(y0, y2), w1, w1p, p);
      const z3 = timesConstant(f64x2.sub(y1, y3), w1, w1p, p);
      if (last) {
        v128.store(at, canonical(timesConstant(f64x2.add(y0, y2), scale, scaleP, p), p));
        v128.store(at + quarter, canonical(timesConstant(f64x2.add(y1, y3), scale, scaleP, p), p));
        v128.store(at + half, canonical(z2, p));
        v128.store(at + three, canonical(z3, p));
      } else {
        v128.store(at, f64x2.add(y0, y2));
        v128.store(at + quarter, f64x2.add(y1, y3));
        v128.store(at + half, z2);
        v128.store(at + three, z3);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function inverseFirst(dst: usize, src: usize, table: usize, overP: usize, m: usize, p: v128, inv: v128): void {
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
    const x0 = low(a, c);
    const x1 = high(a, c);
    const x2 = low(b, d);
    const x3 = high(b, d);
    const y0 = centred(f64x2.add(x0, x1), p, inv);
    const y1 = timesConstant(f64x2.sub(x0, x1), low(e, f), low(ep, fp), p);
    const y2 = centred(f64x2.add(x2, x3), p, inv);
    const y3 = timesConstant(f64x2.sub(x2, x3), high(e, f), high(ep, fp), p);
    const z0 = f64x2.add(y0, y2);
    const z1 = f64x2.add(y1, y3);
    const z2 = timesConstant(f64x2.sub(y0, y2), w1, w1p, p);
    const z3 = timesConstant(f64x2.sub(y1, y3), w1, w1p, p);
    v128.store(to, low(z0, z1));
    v128.store(to, low(z2, z3), 16);
    v128.store(to, high(z0, z1), 32);
    v128.store(to, high(z2, z3), 48);
  }
}
