/** Coefficient by coefficient. Operands and results are centred unless said otherwise; n is a multiple of 4; dst may be an operand. */
import { canonical, centred, timesConstant } from './arithmetic';

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
