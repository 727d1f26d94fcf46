import { requireEncodable } from '../engines/rules.js';
import type { Parameters } from '../parameters/parameters.js';

/** @throws HeError ENCODE_INVALID unless all vectors have length = slots and finite values that fit. */
export function checkSlotVectors(slotVectors: readonly Float64Array[], parameters: Parameters): void {
  const { maxLevel } = parameters;
  for (const values of slotVectors) requireEncodable('encrypt', parameters, values, maxLevel, parameters.levelScale(maxLevel));
}

/** Lets timers, input and progress displays run between two long synchronous steps. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
