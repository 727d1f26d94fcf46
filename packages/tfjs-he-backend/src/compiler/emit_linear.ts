import type { Register } from '../program/program.js';
import { planBabyStepGiantStep } from './baby_step_giant_step.js';
import { type DiagonalTerm, modulo } from './diagonals.js';
import { bug, type Emitter } from './emitter.js';

export interface LinearOperand {
  readonly register: Register;
  readonly plan: DiagonalTerm;
}

/**
 * sum_terms sum_k diagonal_k * rotate(x, k) by baby-step giant-step, rescaled to `level`. The source is dropped to level + 1 first, so every
 * rotation runs as low as it can; terms with the same giant step share one Horner chain.
 */
export function emitLinear(emitter: Emitter, terms: readonly LinearOperand[], level: number): Register {
  const chains = new Map<number, Map<number, Register>>();
  for (const { register, plan } of terms) {
    const source = emitter.modSwitch(register, level + 1);
    const scale = emitter.plainScale(emitter.stateOf(source).scale, level + 1);
    const diagonals = encodable(emitter, plan, scale);
    if (diagonals.length === 0) continue;
    const steps = diagonals.map(([step]) => step);
    const schedule = planBabyStepGiantStep(steps, plan.sourcePeriod);
    const giantStep = schedule.giants === 1 ? 0 : schedule.stride * schedule.babies;
    let sums = chains.get(giantStep);
    if (sums === undefined) {
      sums = new Map();
      chains.set(giantStep, sums);
    }
    const start = emitter.rotate(source, schedule.offset);
    for (const [step, diagonal] of diagonals) {
      const position = modulo(step - schedule.offset, plan.sourcePeriod) / schedule.stride;
      const giant = Math.floor(position / schedule.babies);
      const rotated = emitter.rotateByUnits(start, schedule.stride, position % schedule.babies);
      // Before its giant rotation, a diagonal is out[s] = diagonal[s - giant * giantStep].
      const shift = modulo(giant * giantStep, plan.period);
      const sum = sums.get(giant);
      if (sum === undefined) sums.set(giant, emitter.multiplyPlain(rotated, diagonal, scale, shift));
      else emitter.accumulatePlain(sum, rotated, diagonal, scale, shift);
    }
  }
  if (chains.size === 0) return smallest(emitter, terms, level);
  return combine(emitter, chains);
}

/**
 * Diagonals, by step, that do not vanish when they are encoded: coefficients of a polynomial of degree N have the diagonal's root mean square
 * times the scale over sqrt(N), and below 1/2 may all round to zero. Their products would be below the noise of the rescaling that follows,
 * and SEAL refuses them (a transparent ciphertext).
 */
function encodable({ parameters }: Emitter, plan: DiagonalTerm, scale: number): [number, Float64Array][] {
  const least = Math.sqrt(parameters.polyModulusDegree) / 2 / scale;
  return [...plan.diagonals].filter(([, diagonal]) => rootMeanSquare(diagonal) >= least).sort(([a], [b]) => a - b);
}

/** Of diagonals seen before: a plan is emitted for many parameter sets. */
const sizes = new WeakMap<Float64Array, number>();

function rootMeanSquare(values: Float64Array): number {
  let size = sizes.get(values);
  if (size === undefined) {
    let squares = 0;
    for (const value of values) squares += value * value;
    size = Math.sqrt(squares / values.length);
    sizes.set(values, size);
  }
  return size;
}

/** All factors vanish: the smallest that does not, so that there is a ciphertext to go on with. */
function smallest(emitter: Emitter, terms: readonly LinearOperand[], level: number): Register {
  const [term] = terms;
  if (term === undefined) throw bug('a linear operation has no term');
  const source = emitter.modSwitch(term.register, level + 1);
  const scale = emitter.plainScale(emitter.stateOf(source).scale, level + 1);
  const out = emitter.multiplyPlain(source, Float64Array.of(1 / scale), scale);
  emitter.rescale(out);
  return out;
}

/** Horner over the giant steps of every chain, then one rescale for all. */
function combine(emitter: Emitter, chains: ReadonlyMap<number, ReadonlyMap<number, Register>>): Register {
  let total: Register | null = null;
  for (const [giantStep, sums] of chains) {
    let acc: Register | null = null;
    for (let giant = Math.max(...sums.keys()); giant >= 0; giant--) {
      if (acc !== null) acc = emitter.rotate(acc, giantStep);
      const sum = sums.get(giant);
      if (sum === undefined) continue;
      if (acc === null) acc = sum;
      else emitter.accumulate(acc, sum);
    }
    if (acc === null) continue;
    if (total === null) total = acc;
    else emitter.accumulate(total, acc);
  }
  if (total === null) throw bug('a linear operation has no diagonal');
  emitter.rescale(total);
  return total;
}
