import type { Program } from './program.js';

/**
 * The JSON part of a program file: all but the constants' values. Members come in one order however the program was made, so that a program that was compiled
 * and the same read from a file have the same bytes and the same digest.
 */
export function headerJson(program: Program): string {
  const header = {
    ...program,
    parameters: { ...program.parameters, coeffModulus: program.parameters.coeffModulus.map(String) },
    constants: program.constants.map(({ values, shift, level, scale }) => ({ length: values.length, shift, level, scale })),
  };
  return JSON.stringify(header, (_, value: unknown) => inOrder(value));
}

function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
