import { HeError } from '../errors.js';
import { LARGEST_DEGREE } from '../parameters/security.js';
import { candidateParameters, type ParameterRequest } from './parameter_search.js';

/**
 * Why a request has no candidates: which limit it breaks, by how much, and which options would help. The answers are found by asking for less.
 */
export function precisionShortfall(request: ParameterRequest): HeError {
  const fits = (change: Partial<ParameterRequest>): boolean => candidateParameters({ ...request, ...change }).length > 0;
  const precision = most(request.precisionBits, (precisionBits) => fits({ precisionBits }));
  const value = most(request.valueBits, (valueBits) => fits({ valueBits }));
  const degree = [8192, 16384, LARGEST_DEGREE].find(
    (candidate) => candidate > Math.max(...request.polyModulusDegrees) && fits({ polyModulusDegrees: [candidate] }),
  );
  const ways = [
    ...(precision === undefined ? [] : [`precisionBits ${precision} or less`]),
    ...(value === undefined ? [] : [`valueBits ${value} or less`]),
    ...(degree === undefined ? [] : [`a ring degree of ${degree} in polyModulusDegrees`]),
  ];
  const excess = precision === undefined ? '' : `, ${request.precisionBits - precision} more than fit`;
  return new HeError(
    'COMPILE_FAILED',
    `no parameters fit: no chain of primes within ${request.securityBits}-bit security at ring degree ${request.polyModulusDegrees.join(', ')} ` +
      `gives ${request.precisionBits} bits of precision to refreshed values of ${request.valueBits} bits${excess}`,
    {
      op: 'compile',
      hint: ways.length > 0 ? `Ask for ${ways.join(', or ')}.` : 'Ask for less security, precision and smaller values together.',
    },
  );
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
