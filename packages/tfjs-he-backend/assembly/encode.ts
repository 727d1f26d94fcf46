/**
 * CKKS encoding of real vectors. Slot k holds the value at w^(3^k), w = exp(i pi / N) (Microsoft SEAL's order); for real values those at the conjugate
 * exponents are the same, so the exponents can be taken = 1 (mod 4): e = 4t + 1. With u_j = m_j + i m_(j + N/2) the value at w^e is
 * sum_j u_j w^j exp(2 pi i t j / (N/2)), one complex transform of N/2 points.
 */
import { centred, times } from './arithmetic';

/** The signs of i z = i (x + i y) = -y + i x. */
const SIGNS: usize = memory.data<f64>([-1, 1], 16);

/** Complex numbers (re, im), bit-reversed in, natural out: sum_t z_t exp(-2 pi i t j / n), n = 2^logN. `roots`: exp(-2 pi i j / 2^logRoots), j < half. */
export function fft(data: usize, roots: usize, logN: i32, logRoots: i32): void {
  const signs = v128.load(SIGNS);
  for (let log = 1; log <= logN; log++) {
    const half: usize = <usize>16 << (log - 1);
    const stride: usize = <usize>16 << (logRoots - log);
    for (let start = data, end = data + (<usize>16 << logN); start < end; start += half << 1) {
      let root = roots;
      for (let at = start; at < start + half; at += 16, root += stride) {
        const y = v128.load(at + half);
        const swapped = f64x2.mul(v128.shuffle<f64>(y, y, 1, 0), signs);
        const product = f64x2.add(
          f64x2.mul(y, v128.load64_splat(root)),
          f64x2.mul(swapped, v128.load64_splat(root, 8)),
        );
        const x = v128.load(at);
        v128.store(at, f64x2.add(x, product));
        v128.store(at + half, f64x2.sub(x, product));
      }
    }
  }
}

/**
 * Coefficients round(factor * u_j twist_j): real parts to the first n places of `out`, imaginary ones to the second. `twists`: exp(-i pi j / 2^(logTwists + 1)).
 * Returns the largest magnitude.
 */
export function roundCoefficients(out: usize, data: usize, twists: usize, logN: i32, logTwists: i32, factor: f64): f64 {
  const n: usize = <usize>1 << logN;
  const stride: usize = <usize>16 << (logTwists - logN);
  let largest = 0.0;
  for (let j: usize = 0; j < n; j++) {
    const re = load<f64>(data + (j << 4));
    const im = load<f64>(data + (j << 4), 8);
    const c = load<f64>(twists + j * stride);
    const s = load<f64>(twists + j * stride, 8);
    const low = nearest<f64>((re * c - im * s) * factor);
    const high = nearest<f64>((re * s + im * c) * factor);
    store<f64>(out + (j << 3), low);
    store<f64>(out + ((n + j) << 3), high);
    largest = max(largest, max(abs(low), abs(high)));
  }
  return largest;
}

/**
 * Residues (within p) of integers |x| < 2^(50 + 40 digits), by Horner's rule on digits of 40 bits: every digit is the exact difference of two roundings of x.
 */
export function reduceLarge(dst: usize, src: usize, n: usize, digits: i32, prime: f64): void {
  const p = f64x2.splat(prime);
  const inverse = f64x2.splat(1.0 / prime);
  const unit = 1099511627776.0;
  const base = centred(f64x2.splat(unit), p, inverse);
  for (let i: usize = 0, end = n << 3; i < end; i += 16) {
    const x = v128.load(src + i);
    let scale = 1.0;
    for (let d = 0; d < digits; d++) scale /= unit;
    let upper = f64x2.nearest(f64x2.mul(x, f64x2.splat(scale)));
    let r = centred(upper, p, inverse);
    for (let d = 0; d < digits; d++) {
      scale *= unit;
      const next = f64x2.nearest(f64x2.mul(x, f64x2.splat(scale)));
      const digit = f64x2.sub(next, f64x2.mul(upper, f64x2.splat(unit)));
      r = centred(f64x2.add(times(r, base, p, inverse), centred(digit, p, inverse)), p, inverse);
      upper = next;
    }
    v128.store(dst + i, r);
  }
}
