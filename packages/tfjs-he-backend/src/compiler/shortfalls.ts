import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Program } from '../program/program.js';
import { leastServerMemory, totalMemory } from '../server/memory.js';
import { engineOf } from './costs.js';
import type { CompileSettings } from './options.js';

/** Of reasons that are a budget of bytes: what it would have to be at least. */
const leastBudget = new WeakMap<HeError, number>();

/** One key to relinearise and one to rotate: less is of no use. */
export function keysTooLarge(keyBytes: number, { maxEvaluationKeyBytes }: CompileSettings): HeError {
  const least = 2 * keyBytes;
  const [needed, excess, budget] = [least, least - maxEvaluationKeyBytes, maxEvaluationKeyBytes].map((bytes) => (bytes / 1e6).toFixed(1));
  const message = `evaluation keys take at least ${needed} MB, ${excess} more than the budget maxEvaluationKeyBytes of ${budget}`;
  const error = new HeError('COMPILE_FAILED', message, {
    op: 'compile',
    hint: 'Raise it, or ask for less precision: keys grow with the square of the primes.',
  });
  leastBudget.set(error, least);
  return error;
}

/** @throws HeError COMPILE_FAILED when a server would take more memory than allowed. */
export function requireMemory(program: Program, parameters: Parameters, peak: number, settings: CompileSettings): void {
  const { maxMemoryBytes, costs, polyModulusDegrees } = settings;
  const { polyModulusDegree } = parameters;
  const least = totalMemory(leastServerMemory(program, parameters, engineOf(costs), Number.POSITIVE_INFINITY, peak));
  if (least <= maxMemoryBytes) return;
  const [needed, excess, budget] = [least, least - maxMemoryBytes, maxMemoryBytes].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  const smaller = polyModulusDegree / 2;
  const ways = polyModulusDegrees.includes(smaller) ? '' : `allow a ring degree of ${smaller} in polyModulusDegrees, `;
  const error = new HeError(
    'COMPILE_FAILED',
    `a server takes at least ${needed} MiB at ring degree ${polyModulusDegree}, ${excess} more than the budget maxMemoryBytes of ${budget}`,
    { op: 'compile', hint: `Raise it, ${ways}or ask for less precision.` },
  );
  leastBudget.set(error, least);
  throw error;
}

/** Of the arrays that constants are made of, which circuits and parameters share. */
const largestValues = new WeakMap<Float64Array, number>();

function largestValue(values: Float64Array): number {
  const known = largestValues.get(values);
  if (known !== undefined) return known;
  let largest = 0;
  // A loop: programs have tens of millions of values.
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
  largestValues.set(values, largest);
  return largest;
}

/**
 * The dry run of a program knows no values: whether the modulus has room for its weights and biases.
 * @throws HeError COMPILE_FAILED.
 */
export function requireRoomForConstants({ constants }: Program, { modulusBits }: Parameters): void {
  for (const { values, level, scale } of constants) {
    const largest = largestValue(values);
    const excess = Math.log2(largest * scale) - (modulusBits(level) - 1);
    if (excess < 0) continue;
    throw new HeError(
      'COMPILE_FAILED',
      `a weight or bias of ${largest.toPrecision(3)} takes ${excess.toFixed(1)} bits more than the modulus has at level ${level}`,
      { op: 'compile', hint: `Raise valueBits by ${Math.ceil(excess + 1)} or more, or scale the model down.` },
    );
  }
}

/**
 * Of two reasons why nothing fits, the one that takes the least to remove: a budget before all else, the smaller one first; else what a larger ring lacks, which is nearer to what is needed.
 * @param otherIsLarger whether `other` is about a ring as large as that of `known`, or a larger one
 */
export function closer(known: HeError | null, other: HeError, otherIsLarger = true): HeError {
  if (known === null) return other;
  const [a, b] = [leastBudget.get(known), leastBudget.get(other)];
  if (a !== undefined && b !== undefined) return a < b ? known : other;
  if (a === undefined && b === undefined) return otherIsLarger ? other : known;
  return a === undefined ? other : known;
}
