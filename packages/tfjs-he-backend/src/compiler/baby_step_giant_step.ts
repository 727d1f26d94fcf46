import { modulo } from './diagonals.js';

/**
 * Baby-step giant-step schedule of a set of rotation steps: step = offset + stride * (giant * babies + baby). The source is rotated once by
 * `offset`, then again and again by `stride` for the baby steps; giant steps are accumulated by Horner's rule with one rotation of
 * stride * babies. So a dense map needs two Galois keys (three with an offset) instead of one per step: keys are the scarce resource.
 */
export interface BabyStepGiantStep {
  readonly offset: number;
  readonly stride: number;
  /** Baby steps 0 .. babies - 1; a power of two. */
  readonly babies: number;
  /** Giant steps 0 .. giants - 1. */
  readonly giants: number;
  /** Rotations of the whole schedule. */
  readonly rotations: number;
}

/** @param steps distinct, in 0 .. period - 1; @param period of the rotated vector */
export function planBabyStepGiantStep(steps: readonly number[], period: number): BabyStepGiantStep {
  const stride = steps.reduce(gcd, period);
  const cycle = period / stride;
  const positions = Int32Array.from(steps, (step) => step / stride).sort();
  const start = afterLargestGap(positions, cycle);
  let best: BabyStepGiantStep | null = null;
  for (let babies = 1; babies <= cycle; babies *= 2) {
    const plan = planWithBabies(positions, stride, cycle, babies, start);
    if (best === null || plan.rotations < best.rotations) best = plan;
  }
  return best ?? { offset: 0, stride, babies: 1, giants: 1, rotations: 0 };
}

/** The schedule is cheapest when it starts after the largest gap of the cycle, at `start`; starting at a multiple of `babies` shares keys. */
function planWithBabies(positions: Int32Array, stride: number, cycle: number, babies: number, start: number): BabyStepGiantStep {
  const offset = Math.floor(start / babies) * babies;
  let [last, maxBaby] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const position of positions) {
    const relative = modulo(position - offset, cycle);
    if (relative > last) last = relative;
    if (relative % babies > maxBaby) maxBaby = relative % babies;
  }
  const giants = Math.floor(last / babies) + 1;
  const rotations = (offset === 0 ? 0 : 1) + maxBaby + giants - 1;
  return { offset: modulo(offset, cycle) * stride, stride, babies, giants, rotations };
}

function afterLargestGap(positions: Int32Array, cycle: number): number {
  let start = positions[0] ?? 0;
  let largest = start + cycle - (positions.at(-1) ?? 0);
  for (let i = 1; i < positions.length; i++) {
    const gap = (positions[i] ?? 0) - (positions[i - 1] ?? 0);
    if (gap > largest) {
      largest = gap;
      start = positions[i] ?? 0;
    }
  }
  return start;
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}
