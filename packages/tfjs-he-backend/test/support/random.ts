/** Deterministic uniform numbers in [0, 1): mulberry32. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** `size` values in [-bound, bound). */
export function randomValues(size: number, seed: number, bound = 1): Float64Array {
  const next = randomSource(seed);
  return Float64Array.from({ length: size }, () => (2 * next() - 1) * bound);
}

/** -log2 of the largest absolute difference. */
export function bitsOfAgreement(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? 0)));
  return -Math.log2(worst);
}
