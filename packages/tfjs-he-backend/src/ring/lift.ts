import { powMod } from '../parameters/primes.js';
import { createFactor, createModulus, type Factor, type Modulus, multiplyByFactor, reduce } from './modulus.js';
import type { Ring, RnsPolynomial } from './ring.js';

// `as number` / `as ...` on indexed reads: indices run over arrays of equal, fixed length (see ntt.ts).

/**
 * Exact extension of integers in (-Q/2, Q/2), Q = q_0..q_level, to further primes: residues mod q_0..q_level (coefficient form) -> residues
 * mod q_{level+1}..q_top.
 */
export type CentredLift = (source: RnsPolynomial) => Float64Array[];

interface Target {
  readonly modulus: Modulus;
  /** q_0 * ... * q_{i-1} mod p, one per mixed-radix digit. */
  readonly radix: readonly Factor[];
  /** Q mod p: subtracted from the upper half of the range. */
  readonly full: number;
}

function product(primes: readonly bigint[]): bigint {
  return primes.reduce((all, prime) => all * prime, 1n);
}

/** floor(Q/2) in mixed radix, least significant digit first. */
function mixedRadix(value: bigint, primes: readonly bigint[]): number[] {
  let rest = value;
  return primes.map((prime) => {
    const digit = Number(rest % prime);
    rest /= prime;
    return digit;
  });
}

/**
 * Garner's algorithm: the mixed-radix digits v_i of x = v_0 + v_1 q_0 + v_2 q_0 q_1 + ... need arithmetic modulo single primes only,
 * compare with Q/2 digit by digit, and give x mod any other prime. Exact, no big integers.
 */
export function createCentredLift(ring: Ring, level: number, top: number): CentredLift {
  const sourcePrimes = ring.primes.slice(0, level + 1);
  const moduli = sourcePrimes.map(createModulus);
  const all = product(sourcePrimes);
  const half = mixedRadix(all / 2n, sourcePrimes);
  const inverses = sourcePrimes.map((prime, i) => {
    const m = moduli[i] as Modulus;
    return sourcePrimes.slice(0, i).map((other) => createFactor(Number(powMod(other, prime - 2n, prime)), m));
  });
  const targets = ring.primes.slice(level + 1, top + 1).map((prime): Target => {
    const modulus = createModulus(prime);
    const radix = sourcePrimes.map((_, i) => createFactor(Number(product(sourcePrimes.slice(0, i)) % prime), modulus));
    return { modulus, radix, full: Number(all % prime) };
  });

  return (source) => {
    const lifted = targets.map(() => new Float64Array(ring.degree));
    const digits = new Float64Array(level + 1);
    for (let n = 0; n < ring.degree; n++) {
      for (let i = 0; i <= level; i++) {
        const m = moduli[i] as Modulus;
        let digit = (source[i] as Float64Array)[n] as number;
        for (let j = 0; j < i; j++) {
          const difference = digit - reduce(digits[j] as number, m);
          digit = multiplyByFactor(difference < 0 ? difference + m.value : difference, (inverses[i] as Factor[])[j] as Factor, m);
        }
        digits[i] = digit;
      }
      let upper = false;
      for (let i = level; i >= 0; i--) {
        const difference = (digits[i] as number) - (half[i] as number);
        if (difference !== 0) {
          upper = difference > 0;
          break;
        }
      }
      for (let t = 0; t < targets.length; t++) {
        const { modulus, radix, full } = targets[t] as Target;
        let residue = upper && full > 0 ? modulus.value - full : 0;
        for (let i = 0; i <= level; i++) {
          residue += multiplyByFactor(reduce(digits[i] as number, modulus), radix[i] as Factor, modulus);
          if (residue >= modulus.value) residue -= modulus.value;
        }
        (lifted[t] as Float64Array)[n] = residue;
      }
    }
    return lifted;
  };
}
