const MIN_PERIOD = 4;

/** Smallest power of two, at least 4, that is a period of a vector (of a power of two of values) repeated without end. */
export function periodOf(values: Float64Array): number {
  let period = Math.max(values.length, MIN_PERIOD);
  for (; period > MIN_PERIOD; period /= 2) {
    const half = period / 2;
    for (let i = 0; i < half; i++) if (values[i] !== values[i + half]) return period;
  }
  return period;
}
