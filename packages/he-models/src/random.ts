import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export type { RandomGenerator };

/** Generator whose whole stream follows from `seed`, an integer. */
export function seededRandom(seed: number): RandomGenerator {
  return xoroshiro128plus(seed);
}

/** Generator that continues where the one with this `getState()` stood. */
export function restoredRandom(state: readonly number[]): RandomGenerator {
  return xoroshiro128plusFromState(state);
}

/** Integers `0 .. count - 1` in random order (Fisher-Yates). */
export function permutation(count: number, random: RandomGenerator): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = uniformInt(random, 0, last);
    const value = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = value;
  }
  return order;
}

/** Normal deviates with mean 0 (Box-Muller). */
export function normals(count: number, standardDeviation: number, random: RandomGenerator): Float32Array {
  return Float32Array.from({ length: count }, () => {
    // 1 - u is in (0, 1], so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - uniformFloat32(random)));
    return standardDeviation * radius * Math.cos(2 * Math.PI * uniformFloat32(random));
  });
}

/** Inverted dropout: each entry is 0 with probability `rate` in [0, 1), otherwise `1 / (1 - rate)`. */
export function dropoutMask(count: number, rate: number, random: RandomGenerator): Float32Array {
  const mask = new Float32Array(count).fill(1);
  if (rate === 0) return mask;
  const kept = 1 / (1 - rate);
  // Compared as raw 32-bit integers: this runs a hundred thousand times per training step.
  const threshold = Math.round(rate * 2 ** 32) - 2 ** 31;
  for (let index = 0; index < count; index += 1) mask[index] = random.next() < threshold ? 0 : kept;
  return mask;
}
