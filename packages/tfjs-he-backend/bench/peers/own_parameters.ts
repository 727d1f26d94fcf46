import { choosePrimes, createParameters, type Parameters } from 'tfjs-he-backend';
import { DEGREE, PRIME_BITS } from './workload.ts';

/** The workload's parameters for the engines here. */
export function ownParameters(): Parameters {
  return createParameters({
    polyModulusDegree: DEGREE,
    coeffModulus: choosePrimes(DEGREE, PRIME_BITS),
    securityBits: 128,
    refreshLevel: 1,
  });
}
