import type { Parameters } from '../parameters/parameters.js';

/** Standard deviation of SEAL's centred binomial error, 21 bits a side. */
const ERROR_STD = Math.sqrt(21 / 2);

/**
 * Standard deviations, per polynomial coefficient, of the errors that CKKS operations add (Kim, Papadimitriou and Polyakov, "Approximate
 * homomorphic encryption with reduced approximation error", CT-RSA 2022, section 3), for uniform ternary secrets.
 */
export interface NoiseModel {
  /** Rounding of an encoded value. */
  readonly encode: number;
  /** Symmetric encryption. */
  readonly encrypt: number;
  /** Dropping a prime of a ciphertext of 2 or 3 polynomials. */
  rescale(size: number): number;
  /**
   * Digits times key errors in one key switch at a level; the division by the special prime then rounds, as a rescaling does. On average over
   * the slots, see {@link keySwitchSlotFactors}.
   */
  keySwitch(level: number): number;
}

export function createNoiseModel(parameters: Parameters): NoiseModel {
  const n = parameters.polyModulusDegree;
  const special = Number(parameters.specialPrime);
  const secretVariance = (2 / 3) * n;
  // Rounding errors are uniform in [-1/2, 1/2] in each polynomial, and polynomial i is multiplied by s^i.
  const rounding = (size: number) => Math.sqrt((1 + secretVariance + (size > 2 ? secretVariance ** 2 : 0)) / 12);
  return {
    encode: Math.sqrt(1 / 12),
    encrypt: ERROR_STD,
    rescale: rounding,
    keySwitch(level) {
      // Digits lie in [0, q_i): mean square q_i^2 / 3.
      let variance = 0;
      for (let i = 0; i <= level; i++) variance += (n * parameters.primeAt(i) ** 2 * ERROR_STD ** 2) / 3;
      return Math.sqrt(variance) / special;
    },
  };
}

/**
 * Standard deviation of the error of a key switch by slot, over its root mean square. SEAL's digits lie in [0, q), not around zero, so a digit
 * polynomial is q/2 (1 + X + ... + X^(N-1)) plus a centred one of variance q^2 / 12. At the root zeta of a slot the first has the absolute value
 * q / |1 - zeta|, the second sqrt(N / 12) q: slots whose roots are near 1, slot 0 first of all, get most of the noise. Slot s belongs to the
 * root exp(i pi 3^s / N).
 */
export function keySwitchSlotFactors({ polyModulusDegree: n, slots }: Parameters): Float64Array {
  let exponent = 1;
  return Float64Array.from({ length: slots }, () => {
    const distance = 2 * Math.abs(Math.sin((Math.PI * exponent) / (2 * n)));
    exponent = (exponent * 3) % (2 * n);
    return Math.sqrt((n / 12 + 1 / distance ** 2) / (n / 3));
  });
}

/** Adds independent errors to slot values, with a standard deviation that may differ by slot. */
export type SlotNoise = (values: Float64Array, coefficientStd: number, scale: number, slotFactors?: Float64Array) => void;

const POOL = 1 << 16;

/** Small fast counter generator, 32 bits (Doty-Humphrey's sfc32, PractRand). */
function createGenerator(seed: number): () => number {
  let [a, b, c, counter] = [seed | 0, 0x9e3779b9 | 0, 0x243f6a88, 1];
  const next = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

let normals: Float64Array | undefined;

/** 65536 standard normals (Box-Muller), made once: every engine and client reads from them. */
function normalPool(): Float64Array {
  if (normals !== undefined) return normals;
  const next = createGenerator(1);
  const uniform = () => (next() + 0.5) / 2 ** 32;
  normals = Float64Array.from({ length: POOL }, () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform()));
  return normals;
}

/**
 * Gaussian slot errors. A coefficient error of standard deviation d gives every slot's real part one of d * sqrt(N / 2) / scale. Values come
 * from a pool of standard normals read from places that the seed draws: this is a simulation, not cryptography.
 */
export function createSlotNoise(parameters: Parameters, seed: number): SlotNoise {
  const next = createGenerator(seed);
  const pool = normalPool();
  const embedding = Math.sqrt(parameters.polyModulusDegree / 2);
  return (values, coefficientStd, scale, slotFactors) => {
    const std = (coefficientStd * embedding) / scale;
    const offset = next();
    for (let i = 0; i < values.length; i++) {
      const error = std * (pool[(offset + i) % POOL] ?? 0);
      values[i] = (values[i] ?? 0) + (slotFactors === undefined ? error : error * (slotFactors[i] ?? 0));
    }
  };
}
