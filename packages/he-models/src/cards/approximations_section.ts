import { isDeepStrictEqual } from 'node:util';
import type { ApproximationRow } from '../bench/approximations.js';
import { percent } from '../train/card.js';
import { seconds, table } from './encrypted_section.js';

/** The same weights with polynomials of several degrees, as `npm run bench -- approximations` reports them. */
export interface ApproximationFigures {
  readonly rows: readonly ApproximationRow[];
  /** Of the model as it is. */
  readonly shipped: ApproximationRow['degrees'];
  readonly command: string;
}

/** Accuracy against depth and latency, in Markdown from its heading on. */
export function approximationsSection({ rows, shipped, command }: ApproximationFigures): string {
  const threads = rows.find(({ measuredMs }) => measuredMs !== undefined)?.threads;
  const measured = threads !== undefined;
  const cells = rows.map(({ degrees, accuracy, sameTop1, depth, keySwitches, refreshes, predictedMs, measuredMs }) => [
    ...[degrees.reciprocal, degrees.rsqrt, degrees.gelu].map(String),
    percent(accuracy),
    `${(100 * sameTop1).toFixed(1)}%`,
    ...[depth, keySwitches, refreshes].map(String),
    seconds(predictedMs),
    ...(measured ? [measuredMs === undefined ? '' : seconds(measuredMs)] : []),
  ]);
  const place = rows.findIndex(({ degrees }) => isDeepStrictEqual(degrees, shipped));
  return `## Accuracy against depth

The same weights with polynomials of other degrees${place === -1 ? '' : `; what is shipped is row ${place + 1}`}. "As trained" is the share of development examples with the top-1 of the
PowerSoftmax form. The predicted time is the compiler's for a warm run of engine \`simd\` on one thread of a 2-vCPU Xeon with 20 ms a round of refreshes${
    measured
      ? `, the measured
one the median of three on ${threads === 1 ? 'one thread' : `${threads} threads`}, without network`
      : ''
  }.

${table(
  [
    'degree of 1/x',
    'of 1/sqrt(x)',
    'of GELU',
    'accuracy',
    'as trained',
    'levels',
    'key switches',
    'refreshes',
    'predicted',
    ...(measured ? ['measured'] : []),
  ],
  cells,
)}

    ${command}
`;
}
