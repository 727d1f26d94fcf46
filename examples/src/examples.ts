import { cnn } from './cnn.ts';
import type { Example } from './example.ts';
import { logisticRegression } from './logistic_regression.ts';
import { timeSeries } from './time_series.ts';
import { transformer } from './transformer.ts';

export const EXAMPLES: readonly Example[] = [logisticRegression, cnn, timeSeries, transformer];

/** @throws UnknownExampleError */
export function findExample(name: string): Example {
  const found = EXAMPLES.find((example) => example.name === name);
  if (found === undefined) throw new UnknownExampleError(name);
  return found;
}

export class UnknownExampleError extends Error {
  readonly code = 'EXAMPLE_UNKNOWN';

  constructor(name: string) {
    super(`no example '${name}'. There are: ${EXAMPLES.map((example) => example.name).join(', ')}`);
  }
}
