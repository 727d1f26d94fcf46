import type { Parameters } from '../parameters/parameters.js';
import { createNttTables, type NttTables } from './ntt.js';

/** One residue polynomial per data prime q_0, q_1, ...; exact integers in [0, q_i). */
export type RnsPolynomial = readonly Float64Array[];

/** Z[X]/(X^N + 1) modulo the data primes. Tables are built on first use. */
export interface Ring {
  readonly degree: number;
  readonly primes: readonly bigint[];
  tables(index: number): NttTables;
}

export function createRing(parameters: Parameters): Ring {
  const cache = new Map<number, NttTables>();
  return {
    degree: parameters.polyModulusDegree,
    primes: parameters.dataPrimes,
    tables(index) {
      const known = cache.get(index);
      if (known !== undefined) return known;
      const prime = parameters.dataPrimes[index];
      if (prime === undefined) throw new RangeError(`no data prime ${index}`);
      const made = createNttTables(parameters.polyModulusDegree, prime);
      cache.set(index, made);
      return made;
    },
  };
}
