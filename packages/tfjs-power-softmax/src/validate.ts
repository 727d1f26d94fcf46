import { type ErrorContext, InvalidArgumentError } from './errors.js';

/** Largest exponent accepted: beyond 8 training is reported to oscillate (arXiv 2410.09457, App. D), beyond 16 float32 powers underflow. */
export const MAX_POWER = 16;

// In all of these `layer` is the name of the layer whose argument it is, for the error.

/** @throws InvalidArgumentError unless `p` is an even integer in 2..16. */
export function validatePower(p: number, layer?: string): number {
  if (!Number.isInteger(p) || p % 2 !== 0 || p < 2 || p > MAX_POWER) {
    throw invalid(`p must be an even integer from 2 to ${MAX_POWER}, got ${p}. Use p = 4 unless you know better.`, { p }, layer);
  }
  return p;
}

/** @throws InvalidArgumentError unless `value` is finite and at least 0. */
export function validateNonNegative(name: string, value: number, layer?: string): number {
  if (!Number.isFinite(value) || value < 0) throw invalid(`${name} must be a finite number >= 0, got ${value}.`, { name, value }, layer);
  return value;
}

/** @throws InvalidArgumentError unless `value` is an integer of at least 1. */
export function validatePositiveInteger(name: string, value: number, layer?: string): number {
  if (!Number.isInteger(value) || value < 1) throw invalid(`${name} must be an integer >= 1, got ${value}.`, { name, value }, layer);
  return value;
}

/** @throws InvalidArgumentError unless `value` is one of `allowed`. */
export function validateOneOf<T extends string>(name: string, value: string, allowed: readonly T[], layer?: string): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) throw invalid(`${name} must be one of ${allowed.join(', ')}; got ${value}.`, { name, value }, layer);
  return found;
}

function invalid(problem: string, context: ErrorContext, layer: string | undefined): InvalidArgumentError {
  return layer === undefined
    ? new InvalidArgumentError(problem, context)
    : new InvalidArgumentError(`${layer}: ${problem}`, { ...context, layer });
}
