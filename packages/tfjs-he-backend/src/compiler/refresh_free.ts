import { HeError } from '../errors.js';
import { createParameters, MAX_PRIME_BITS, MIN_PRIME_BITS, type Parameters } from '../parameters/parameters.js';
import { choosePrimes } from '../parameters/primes.js';
import { maxTotalBits } from '../parameters/security.js';
import type { Circuit } from './circuit.js';
import { circuitDepth } from './levels.js';
import { type ParameterRequest, SCALE_HEADROOM_BITS } from './parameter_search.js';

/** Standard deviation of the errors of encryptions and keys, and by how many of it the worst of all slots is off. */
const SIGMA = 3.2;
const DEVIATIONS = 3;
/** How much more noise an output has than one ciphertext and one key switch, in bits: weights, squares, sums. */
const GAIN_BITS = 3.5;
/** Of q_0 over the scale of the outputs and their largest value: a sign, and as much again for noise. */
const OUTPUT_ROOM_BITS = 2;
/** More levels than any chain within the security table has at the least scale. */
const MOST_LEVELS = 28;

/**
 * Parameter sets for programs that end before their levels do: for every ring degree and number of levels the largest scale that the security level leaves room for. Outputs
 * end at level 0, where q_0 holds their values and no mask, so that chains are shorter than those of programs with refreshes.
 * @param least levels that the program takes at least; 0 counts as 1, as there is no chain without a prime to rescale by
 */
export function refreshFreeCandidates(request: ParameterRequest, least: number): Parameters[] {
  const candidates: Parameters[] = [];
  for (const degree of request.polyModulusDegrees) {
    for (let levels = Math.max(1, least); levels <= MOST_LEVELS; levels++) {
      const parameters = candidate(degree, levels, request);
      // Every further level takes more of the same budget.
      if (parameters === null) break;
      candidates.push(parameters);
    }
  }
  return candidates;
}

/** Whether a program of `circuit` with these parameters needs no refresh, and would need one with a level less. */
export function fitsWithoutRefresh(circuit: Circuit, { maxLevel, refreshLevel }: Parameters): boolean {
  return refreshLevel === 0 && (circuit.kept?.size ?? 0) === 0 && Math.max(1, circuitDepth(circuit)) === maxLevel;
}

function candidate(degree: number, levels: number, request: ParameterRequest): Parameters | null {
  const limit = maxTotalBits(degree, request.securityBits);
  const over = Math.ceil(request.valueBits) + OUTPUT_ROOM_BITS;
  const sizes: { readonly chain: readonly number[]; readonly bits: number }[] = [];
  for (let scale = MIN_PRIME_BITS; scale + over <= MAX_PRIME_BITS; scale++) {
    const first = scale + over;
    const special = Math.min(MAX_PRIME_BITS, limit - first - levels * scale);
    if (special < first) break;
    const bits = scale - noiseBits(degree, first - special);
    sizes.push({ chain: [first, ...new Array<number>(levels).fill(scale), special], bits });
    if (bits >= request.precisionBits + SCALE_HEADROOM_BITS) break;
  }
  sizes.sort((a, b) => b.bits - a.bits);
  for (const { chain, bits } of sizes) {
    if (bits < request.precisionBits) break;
    try {
      return createParameters({
        polyModulusDegree: degree,
        coeffModulus: choosePrimes(degree, chain),
        securityBits: request.securityBits,
        refreshLevel: 0,
        valueBits: request.valueBits,
      });
    } catch (error) {
      // Too few primes of that size.
      if (!(error instanceof HeError)) throw error;
    }
  }
  return null;
}

/**
 * log2 of the noise of an output, in units of 1 / scale. A fresh encryption has coefficients of noise of standard deviation sigma (4 N / 3)^1/2, so slots of sigma (4 / 3)^1/2 N.
 * A key switch adds sum_j [c]_j e_j / P. SEAL takes the residues [c]_j from [0, q_j): their mean, q_j / 2 in every coefficient, is a polynomial that is 2 N / pi in the slot nearest to 1
 * times q_j / 2, and there e_j is sigma N^1/2.
 * @param overSpecial bits of the largest data prime over those of the special prime, 0 or less
 */
function noiseBits(degree: number, overSpecial: number): number {
  const fresh = DEVIATIONS * SIGMA * Math.sqrt(4 / 3) * degree;
  const switched = (SIGMA * degree ** 1.5 * 2 ** overSpecial) / Math.PI;
  return GAIN_BITS + Math.log2(fresh + switched);
}
