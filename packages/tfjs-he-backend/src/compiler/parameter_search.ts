import { HeError } from '../errors.js';
import { createParameters, MAX_PRIME_BITS, type Parameters } from '../parameters/parameters.js';
import { choosePrimes } from '../parameters/primes.js';
import { maxTotalBits } from '../parameters/security.js';
import { MINIMUM_MASK_SLACK_BITS } from '../ring/mask.js';

export interface ParameterRequest {
  /** Security in bits against classical attacks. */
  readonly securityBits: 128 | 192 | 256;
  /** Bits of precision wanted in the outputs. */
  readonly precisionBits: number;
  /** log2 of the largest absolute slot value that is refreshed. */
  readonly valueBits: number;
  readonly polyModulusDegrees: readonly number[];
}

/** A refresh leaves two levels at least, or a matmul with masks would not fit. */
const MIN_LEVELS_BETWEEN_REFRESHES = 2;
/** Bits of noise the values gain on their way (reciprocals, squares, sums of products), over the noise of one rescaling. */
const AMPLIFICATION_BITS = 9;
/** Room that is there is used for precision, up to this; more would only cost traffic. */
export const SCALE_HEADROOM_BITS = 8;

/**
 * Parameter sets worth trying for programs with refreshes: for every ring degree and every number of levels between two refreshes, the largest scale that the security
 * level leaves room for. q_0 and the special prime are of equal size; below the refresh level lie the primes the mask needs.
 */
export function candidateParameters(request: ParameterRequest): Parameters[] {
  const candidates: Parameters[] = [];
  for (const degree of request.polyModulusDegrees) {
    const limit = maxTotalBits(degree, request.securityBits);
    const needed = minimumScaleBits(degree, request.precisionBits);
    for (let levels = MIN_LEVELS_BETWEEN_REFRESHES; levels <= 24; levels++) {
      const parameters = candidate(degree, limit, levels, needed, request);
      if (parameters !== null) candidates.push(parameters);
    }
  }
  return candidates;
}

/** Rescaling rounds every coefficient: about N^1/2 * (N / 18)^1/2 in a slot (CKKS 2017, section 3), over the scale. */
function minimumScaleBits(degree: number, precisionBits: number): number {
  return Math.ceil(precisionBits + AMPLIFICATION_BITS + Math.log2(degree / Math.sqrt(18)));
}

function candidate(degree: number, limit: number, levels: number, needed: number, request: ParameterRequest): Parameters | null {
  // Bits at the refresh level: scale, value, mask slack, and 3 for rounding and wrap-around.
  for (let refreshLevel = 1; refreshLevel <= 3; refreshLevel++) {
    for (let end = MAX_PRIME_BITS; end >= 40; end--) {
      const room = Math.floor((limit - 2 * end) / (levels + refreshLevel));
      const scale = Math.min(room, needed + SCALE_HEADROOM_BITS, end);
      if (scale < needed) continue;
      const slack = end + (refreshLevel - 1) * scale - Math.log2(2 ** request.valueBits + 1) - 3;
      if (slack < MINIMUM_MASK_SLACK_BITS) break;
      const parameters = build(degree, refreshLevel, levels, end, scale, request);
      if (parameters !== null) return parameters;
    }
  }
  return null;
}

function build(
  degree: number,
  refreshLevel: number,
  levels: number,
  end: number,
  scale: number,
  request: ParameterRequest,
): Parameters | null {
  const sizes = [end, ...new Array<number>(refreshLevel + levels).fill(scale), end];
  try {
    return createParameters({
      polyModulusDegree: degree,
      coeffModulus: choosePrimes(degree, sizes),
      securityBits: request.securityBits,
      refreshLevel,
      valueBits: request.valueBits,
    });
  } catch (error) {
    // Some sizes have too few primes, or a product one bit too long: not a candidate.
    if (error instanceof HeError) return null;
    throw error;
  }
}
