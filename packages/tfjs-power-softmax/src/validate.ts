import { InvalidArgumentError } from './errors.js';

/** Largest exponent accepted: beyond 8 training is reported to oscillate (arXiv 2410.09457, App. D), beyond 16 float32 powers underflow. */
export const MAX_POWER = 16;

/** @throws InvalidArgumentError unless `p` is an even integer in 2..16. */
export function validatePower(p: number): number {
  if (!Number.isInteger(p) || p % 2 !== 0 || p < 2 || p > MAX_POWER) {
    throw new InvalidArgumentError(`p must be an even integer from 2 to ${MAX_POWER}, got ${p}. Use p = 4 unless you know better.`, { p });
  }
  return p;
}

/** @throws InvalidArgumentError unless `value` is finite and at least 0. */
export function validateNonNegative(name: string, value: number): number {
  if (!Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError(`${name} must be a finite number >= 0, got ${value}.`, { name, value });
  }
  return value;
}

/** @throws InvalidArgumentError unless `value` is an integer of at least 1. */
export function validatePositiveInteger(name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) {
    throw new InvalidArgumentError(`${name} must be an integer >= 1, got ${value}.`, { name, value });
  }
  return value;
}

/** @throws InvalidArgumentError unless `value` is one of `allowed`. */
export function validateOneOf<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (found === undefined) {
    throw new InvalidArgumentError(`${name} must be one of ${allowed.join(', ')}; got ${value}.`, { name, value });
  }
  return found;
}
