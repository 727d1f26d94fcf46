/** Mean and sample standard deviation (0 of one value) of the numbers among values. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  readonly deviation: number;
  readonly min: number;
  readonly max: number;
}

/** @returns undefined without numbers; null stands for a value that is not finite and is left out */
export function summarise(values: readonly (number | null | undefined)[]): Summary | undefined {
  const numbers = values.filter((value) => typeof value === 'number');
  if (numbers.length === 0) return undefined;
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const squares = numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    count: numbers.length,
    mean,
    deviation: numbers.length > 1 ? Math.sqrt(squares / (numbers.length - 1)) : 0,
    min: Math.min(...numbers),
    max: Math.max(...numbers),
  };
}
