import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createParameters } from '../../src/parameters/parameters.js';
import { choosePrimes } from '../../src/parameters/primes.js';
import { createCentredLift } from '../../src/ring/lift.js';
import { createRing } from '../../src/ring/ring.js';

const parameters = createParameters({
  polyModulusDegree: 1024,
  coeffModulus: choosePrimes(1024, [50, 33, 41, 30, 50, 50]),
  securityBits: 0,
  refreshLevel: 1,
});
const ring = createRing(parameters);
const mod = (x: bigint, p: bigint) => ((x % p) + p) % p;

for (const level of [0, 1, 2]) {
  const full = ring.primes.slice(0, level + 1).reduce((a, b) => a * b, 1n);
  const lift = createCentredLift(ring, level, parameters.maxLevel);

  test(`centred integers keep their value from level ${level} to the top`, () => {
    const edge = (full - 1n) / 2n;
    const integer = fc.oneof(
      fc.bigInt({ min: -edge, max: edge }),
      fc.bigInt({ min: -1000n, max: 1000n }),
      fc.constantFrom(edge, -edge, 0n),
    );
    fc.assert(
      fc.property(fc.array(integer, { minLength: 8, maxLength: 8 }), (values) => {
        const coefficients = Array.from({ length: ring.degree }, (_, i) => values[i % 8]!);
        const source = ring.primes.slice(0, level + 1).map((p) => Float64Array.from(coefficients, (x) => Number(mod(x, p))));
        lift(source).forEach((residues, t) => {
          const p = ring.primes[level + 1 + t]!;
          expect(Array.from(residues.subarray(0, 8))).toEqual(values.map((x) => Number(mod(x, p))));
        });
      }),
      { numRuns: 30, seed: 4 },
    );
  });
}
