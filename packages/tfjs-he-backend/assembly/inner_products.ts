/** Sums of products of digits and keys, and the layout of keys for them. */
import { centred } from './arithmetic';
import { sumHigh, sumLength, sumOffset, sumResidue, sumRest } from './sums';

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
