import { HeError } from '../errors.js';
import { LARGEST_DEGREE } from '../parameters/security.js';
import { candidateParameters, type ParameterRequest } from './parameter_search.js';
import { refreshFreeCandidates } from './refresh_free.js';

/**
 * Why a request has no candidates: which limit it breaks, by how much, and which options would help. The answers are found by asking for less.
 * @param levels that the program takes without refreshes; Infinity where it has to have some
 */
export function precisionShortfall(request: ParameterRequest, levels: number): HeError {
  const { securityBits, precisionBits, valueBits, polyModulusDegrees } = request;
  const fits = (change: Partial<ParameterRequest>): boolean => {
    const changed = { ...request, ...change };
    return candidateParameters(changed).length > 0 || refreshFreeCandidates(changed, levels).length > 0;
  };
  const larger = [8192, 16384, LARGEST_DEGREE].filter((degree) => degree > Math.max(...polyModulusDegrees));
  const precision = most(precisionBits, (bits) => fits({ precisionBits: bits }));
  const value = most(valueBits, (bits) => fits({ valueBits: bits }));
  const degree = larger.find((candidate) => fits({ polyModulusDegrees: [candidate] }));
  const ways = [
    ...(precision === undefined ? [] : [`precisionBits ${precision} or less`]),
    ...(value === undefined ? [] : [`valueBits ${value} or less`]),
    ...(degree === undefined ? [] : [`a ring degree of ${degree} in polyModulusDegrees`]),
  ];
  const elsewhere = ways.length > 0 ? undefined : most(precisionBits, (bits) => fits({ precisionBits: bits, polyModulusDegrees: larger }));
  if (elsewhere !== undefined)
    ways.push(`precisionBits ${elsewhere} or less, and a ring degree of ${larger.join(' or ')} in polyModulusDegrees`);
  const excess = precision === undefined ? '' : `, ${precisionBits - precision} more than fit`;
  return new HeError(
    'COMPILE_FAILED',
    `no parameters fit: no chain of primes within ${securityBits}-bit security at ring degree ${polyModulusDegrees.join(', ')} ` +
      `gives ${precisionBits} bits of precision to values of ${valueBits} bits, ${waysToRun(levels)}${excess}`,
    {
      op: 'compile',
      hint: ways.length > 0 ? `Ask for ${ways.join(', or ')}.` : 'Ask for less security, precision and smaller values together.',
    },
  );
}

function waysToRun(levels: number): string {
  if (!Number.isFinite(levels)) return 'refreshed on the way';
  return `with refreshes or in ${levels} ${levels === 1 ? 'level' : 'levels'} without`;
}

/** The largest integer from 1 to below `start` that passes, where everything below one that passes does too. */
function most(start: number, passes: (value: number) => boolean): number | undefined {
  let [low, high] = [0, Math.ceil(start) - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(middle)) low = middle;
    else high = middle - 1;
  }
  return low > 0 ? low : undefined;
}
