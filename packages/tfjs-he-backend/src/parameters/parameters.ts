import { HeError } from '../errors.js';
import { bitLength, isProbablePrime } from './primes.js';
import { maxTotalBits, type SecurityBits } from './security.js';

/** JSON-able once the primes are written as strings; {@link createParameters} turns it into validated {@link Parameters}. */
export interface ParametersLiteral {
  /** Ring degree N, a power of two in 1024..32768. */
  readonly polyModulusDegree: number;
  /** Data primes q_0..q_L, then the special (key-switching) prime; each at most 50 bits, = 1 mod 2N, pairwise distinct. */
  readonly coeffModulus: readonly bigint[];
  /** Security against classical attacks; 0 means "not checked" and is for tests only. */
  readonly securityBits: SecurityBits;
  /** Lowest level of a program: ciphertexts are refreshed and outputs are returned there. 0 <= refreshLevel < L. */
  readonly refreshLevel: number;
  /** log2 of the bound on |slot value| at a refresh, by which the mask is chosen (default 5, i.e. |value| <= 32). */
  readonly valueBits?: number;
}

export interface Parameters extends ParametersLiteral {
  readonly valueBits: number;
  /** Real slots of a ciphertext, N / 2. */
  readonly slots: number;
  /** Level L of a fresh ciphertext: data primes minus one. */
  readonly maxLevel: number;
  /** q_0..q_L. */
  readonly dataPrimes: readonly bigint[];
  readonly specialPrime: bigint;
  /** Bits of the product of all primes, the special one included: what security depends on. */
  readonly totalBits: number;
  /** q_level as a double (exact: at most 50 bits). */
  primeAt(level: number): number;
  /** log2(q_0 * ... * q_level). */
  modulusBits(level: number): number;
  /**
   * Canonical scale S_level: every ciphertext between operations has exactly this scale. S_{l-1} = S_l^2 / q_l, and
   * S_L = S_refreshLevel, so that raising a ciphertext polynomial from the refresh level to the top keeps the rule.
   */
  levelScale(level: number): number;
}

/** Largest and smallest primes that are accepted, in bits: engine simd keeps residues in doubles. */
export const MAX_PRIME_BITS = 50;
export const MIN_PRIME_BITS = 20;

function invalid(message: string, hint: string): HeError {
  return new HeError('PARAMETERS_INVALID', message, { op: 'createParameters', hint });
}

function checkShape(literal: ParametersLiteral): void {
  const { polyModulusDegree: n, coeffModulus, refreshLevel } = literal;
  if (!Number.isInteger(n) || n < 1024 || n > 32768 || (n & (n - 1)) !== 0) {
    throw invalid(`polyModulusDegree ${n} is not a power of two in 1024..32768`, 'Use 4096, 8192, 16384 or 32768.');
  }
  if (coeffModulus.length < 3) {
    throw invalid(`${coeffModulus.length} primes are too few`, 'Give at least two data primes and the special prime.');
  }
  const maxLevel = coeffModulus.length - 2;
  if (!Number.isInteger(refreshLevel) || refreshLevel < 0 || refreshLevel >= maxLevel) {
    throw invalid(`refreshLevel ${refreshLevel} is not in 0..${maxLevel - 1}`, 'Add data primes or lower refreshLevel.');
  }
  const valueBits = literal.valueBits ?? 0;
  if (!Number.isFinite(valueBits) || valueBits < 0 || valueBits > 64) {
    throw invalid(`valueBits ${valueBits} is not in 0..64`, 'It is log2 of the largest absolute slot value at a refresh.');
  }
}

function checkPrimes(degree: number, primes: readonly bigint[]): void {
  const order = BigInt(2 * degree);
  const seen = new Set<bigint>();
  primes.forEach((prime, index) => {
    const bits = bitLength(prime);
    if (bits < MIN_PRIME_BITS || bits > MAX_PRIME_BITS) {
      throw invalid(`prime ${index} has ${bits} bits`, `Use primes of ${MIN_PRIME_BITS} to ${MAX_PRIME_BITS} bits.`);
    }
    if (prime % order !== 1n || !isProbablePrime(prime)) {
      throw invalid(`modulus ${index} is not a prime = 1 mod 2N`, 'Take the primes from choosePrimes().');
    }
    if (seen.has(prime)) throw invalid(`prime ${index} occurs twice`, 'Take the primes from choosePrimes().');
    seen.add(prime);
  });
}

function checkSecurity(degree: number, primes: readonly bigint[], securityBits: SecurityBits): number {
  const totalBits = bitLength(primes.reduce((product, prime) => product * prime, 1n));
  const limit = maxTotalBits(degree, securityBits);
  if (totalBits > limit) {
    throw new HeError(
      'PARAMETERS_INSECURE',
      `${totalBits} bits of modulus at N=${degree} exceed the ${limit} of ${securityBits}-bit security`,
      {
        op: 'createParameters',
        hint: 'Use fewer or smaller primes, or double polyModulusDegree.',
      },
    );
  }
  return totalBits;
}

/**
 * log2 S_L of the fixed point S_refreshLevel = S_L of S -> S^2 / q:
 * sum_{i=0}^{m-1} 2^(m-1-i) log2 q_{L-i} / (2^m - 1), m = L - refreshLevel.
 */
function logTopScale(logPrimes: readonly number[], maxLevel: number, refreshLevel: number): number {
  const steps = maxLevel - refreshLevel;
  let sum = 0;
  for (let level = maxLevel; level > refreshLevel; level--) sum = 2 * sum + (logPrimes[level] ?? 0);
  return sum / (2 ** steps - 1);
}

/**
 * From the refresh level up, as S_l = (S_{l-1} q_l)^1/2, which halves every error of rounding: down from the top, S^2 / q would double them, to a relative 2^-30 over 23 levels.
 */
function canonicalScales(primes: readonly number[], maxLevel: number, refreshLevel: number): readonly number[] {
  const top = 2 ** logTopScale(primes.map(Math.log2), maxLevel, refreshLevel);
  const primeAt = (level: number): number => primes[level] ?? 1;
  const scales = new Array<number>(maxLevel + 1).fill(top);
  let scale = top;
  for (let level = refreshLevel + 1; level < maxLevel; level++) {
    scale = Math.sqrt(scale * primeAt(level));
    scales[level] = scale;
  }
  scale = top;
  for (let level = refreshLevel; level > 0; level--) {
    scale = (scale * scale) / primeAt(level);
    scales[level - 1] = scale;
  }
  return scales;
}

/**
 * Validates a literal.
 * @throws HeError PARAMETERS_INVALID (degree, primes, level), PARAMETERS_INSECURE (modulus too large for the degree; the
 *   table is that of the Homomorphic Encryption Standard as used by SEAL).
 */
export function createParameters(literal: ParametersLiteral): Parameters {
  checkShape(literal);
  const { polyModulusDegree, refreshLevel, securityBits } = literal;
  const coeffModulus = Object.freeze([...literal.coeffModulus]);
  checkPrimes(polyModulusDegree, coeffModulus);
  const totalBits = checkSecurity(polyModulusDegree, coeffModulus, securityBits);
  const maxLevel = coeffModulus.length - 2;
  const dataPrimes = Object.freeze(coeffModulus.slice(0, -1));
  const primes = dataPrimes.map(Number);
  const scales = canonicalScales(primes, maxLevel, refreshLevel);

  const at = (values: readonly number[], level: number): number => {
    const value = values[level];
    if (value === undefined) {
      throw new HeError('LEVEL_OUT_OF_RANGE', `level ${level} is not in 0..${maxLevel}`, {
        level,
        hint: 'Levels count down from maxLevel to 0.',
      });
    }
    return value;
  };
  const cumulative: number[] = [];
  for (const prime of primes) cumulative.push((cumulative.at(-1) ?? 0) + Math.log2(prime));

  return Object.freeze({
    polyModulusDegree,
    coeffModulus,
    securityBits,
    refreshLevel,
    valueBits: literal.valueBits ?? 5,
    slots: polyModulusDegree / 2,
    maxLevel,
    dataPrimes,
    specialPrime: coeffModulus[coeffModulus.length - 1] ?? 0n,
    totalBits,
    primeAt: (level: number) => at(primes, level),
    modulusBits: (level: number) => at(cumulative, level),
    levelScale: (level: number) => at(scales, level),
  });
}
