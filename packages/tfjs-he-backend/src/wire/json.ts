import type { HeError } from '../errors.js';

/** Reads parsed JSON of any origin, field by field; what does not fit is refused with the error that `refuse` makes of a description. */
export interface JsonReader {
  fail(what: string): never;
  record(value: unknown, what: string): Record<string, unknown>;
  /** At most `maxLength` items (default 2^22). */
  list(value: unknown, what: string, maxLength?: number): readonly unknown[];
  integer(value: unknown, what: string, low: number, high: number): number;
  /** Finite and above zero. */
  positive(value: unknown, what: string): number;
  /** At most 256 characters. */
  text(value: unknown, what: string): string;
  /** A decimal number of at most 19 digits without leading zero. */
  decimal(value: unknown, what: string): bigint;
}

/** Longest list that is read unless a caller says otherwise. */
export const MAX_ELEMENTS = 1 << 22;
const MAX_TEXT = 256;

/** @param refuse the error for a description of what does not fit */
export function createJsonReader(refuse: (what: string) => HeError): JsonReader {
  const fail = (what: string): never => {
    throw refuse(what);
  };
  const reader: JsonReader = {
    fail,
    record(value, what) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail(`${what} is not an object`);
      return value as Record<string, unknown>; // a non-null, non-array object has string keys and unknown values
    },
    list(value, what, maxLength = MAX_ELEMENTS) {
      if (!Array.isArray(value) || value.length > maxLength) return fail(`${what} is not a list of at most ${maxLength}`);
      return value;
    },
    integer(value, what, low, high) {
      if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
        return fail(`${what} is not an integer in ${low}..${high}`);
      }
      return value;
    },
    positive(value, what) {
      if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) return fail(`${what} is not a number above zero`);
      return value;
    },
    text(value, what) {
      if (typeof value !== 'string' || value.length > MAX_TEXT) return fail(`${what} is not a string of at most ${MAX_TEXT} characters`);
      return value;
    },
    decimal(value, what) {
      const digits = reader.text(value, what);
      if (!/^[1-9][0-9]{0,18}$/.test(digits)) return fail(`${what} is not a decimal number`);
      return BigInt(digits);
    },
  };
  return reader;
}
