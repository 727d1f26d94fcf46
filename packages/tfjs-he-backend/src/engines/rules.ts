/** The failure rules that all engines share: what SEAL would refuse, refused with the same error by `empty` and `mock`. */
import { HeError, type HeErrorCode } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { CONJUGATION, galoisElement } from '../ring/galois.js';

/** Metadata of a ciphertext (or, without size, of a plaintext). */
export interface Operand {
  readonly level: number;
  readonly scale: number;
  readonly size?: number;
}

/** Scales of one ladder differ by rounding of doubles only; anything more is a mistake in the program. */
const SCALE_TOLERANCE = 1e-9;
const { MAX_VALUE } = Number;

function fail(code: HeErrorCode, op: string, operand: Operand, message: string, hint: string): never {
  throw new HeError(code, message, { op, level: operand.level, scale: operand.scale, hint });
}

export function requireSameLevel(op: string, a: Operand, b: Operand): void {
  if (a.level !== b.level)
    fail('LEVEL_MISMATCH', op, a, `the other operand is at level ${b.level}`, 'Use modSwitchTo on the higher one first.');
}

export function scalesAgree(a: number, b: number): boolean {
  return Math.abs(a - b) <= SCALE_TOLERANCE * Math.max(a, b);
}

export function requireSameScale(op: string, a: Operand, scale: number): void {
  if (!scalesAgree(a.scale, scale)) {
    fail(
      'SCALE_MISMATCH',
      op,
      a,
      `the other scale is 2^${Math.log2(scale).toFixed(3)}`,
      'Rescale, or encode the plaintext at the scale that is missing.',
    );
  }
}

export function requireSize(op: string, a: Operand, size: number): void {
  if (a.size !== size) {
    fail(
      'SIZE_UNSUPPORTED',
      op,
      a,
      `the ciphertext has ${a.size} polynomials, ${size} are needed`,
      size === 2 ? 'Relinearize first.' : 'Multiply first.',
    );
  }
}

export function requireSameSize(op: string, a: Operand, b: Operand): void {
  if (a.size !== b.size) fail('SIZE_UNSUPPORTED', op, a, `the operands have ${a.size} and ${b.size} polynomials`, 'Relinearize first.');
}

/** A scale must be positive and below the modulus of its level. */
export function requireScaleFits(op: string, parameters: Parameters, a: Operand, level: number, scale: number): void {
  if (!(scale > 0) || Math.log2(scale) >= parameters.modulusBits(level)) {
    const bits = parameters.modulusBits(level).toFixed(1);
    fail(
      'SCALE_OUT_OF_BOUNDS',
      op,
      a,
      `scale 2^${Math.log2(scale).toFixed(1)} does not fit the ${bits} bits of level ${level}`,
      'Rescale first, or add primes to the chain.',
    );
  }
}

export function requireLevel(op: string, parameters: Parameters, level: number): void {
  if (!Number.isInteger(level) || level < 0 || level > parameters.maxLevel) {
    throw new HeError('LEVEL_OUT_OF_RANGE', `level ${level} is not in 0..${parameters.maxLevel}`, {
      op,
      hint: 'Levels count down from maxLevel to 0.',
    });
  }
}

export function requireRescalable(op: string, parameters: Parameters, a: Operand, exactScale: number): void {
  if (a.level === 0) fail('CHAIN_EXHAUSTED', op, a, 'there is no prime left to drop', 'Refresh earlier, or add primes to the chain.');
  const quotient = a.scale / parameters.primeAt(a.level);
  if (!scalesAgree(quotient, exactScale)) {
    fail(
      'SCALE_MISMATCH',
      op,
      a,
      `rescaling gives 2^${Math.log2(quotient).toFixed(4)}, not 2^${Math.log2(exactScale).toFixed(4)}`,
      'Encode plaintext factors at the scale that makes up the difference.',
    );
  }
}

export function requireReachable(op: string, parameters: Parameters, a: Operand, level: number): void {
  requireLevel(op, parameters, level);
  if (level > a.level) fail('LEVEL_MISMATCH', op, a, `level ${level} is higher`, 'Only a refresh raises the level.');
  requireScaleFits(op, parameters, a, level, a.scale);
}

export function requireCanonical(op: string, parameters: Parameters, a: Operand, level: number): void {
  if (a.level !== level) fail('LEVEL_MISMATCH', op, a, `level ${level} is needed`, 'Switch down to it first.');
  requireSize(op, a, 2);
  requireSameScale(op, a, parameters.levelScale(level));
}

export function requireEncodable(op: string, parameters: Parameters, values: Float64Array, level: number, scale: number): void {
  requireLevel(op, parameters, level);
  const operand = { level, scale };
  if (values.length !== parameters.slots) {
    fail('ENCODE_INVALID', op, operand, `${values.length} values for ${parameters.slots} slots`, 'Pad with zeros.');
  }
  let largest = 0;
  let finite = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    const size = value < 0 ? -value : value;
    if (size > largest) largest = size;
    // NaN compares to nothing.
    finite &&= size <= MAX_VALUE;
  }
  if (!finite) fail('ENCODE_INVALID', op, operand, 'a value is not finite', 'Check weights and inputs for NaN and Infinity.');
  requireScaleFits(op, parameters, operand, level, scale);
  // log2 of the largest coefficient is at most that of scale * max|value|.
  if (largest > 0 && Math.log2(scale * largest) >= parameters.modulusBits(level) - 1) {
    fail(
      'ENCODE_INVALID',
      op,
      operand,
      'the values are too large for the modulus of this level',
      'Encode at a smaller scale or a higher level.',
    );
  }
}

/** The error for a ciphertext that everybody can read: SEAL refuses to make one. */
export function transparent(op: string, { level, scale }: Operand): HeError {
  return new HeError('TRANSPARENT_CIPHERTEXT', 'the ciphertext hides nothing', {
    op,
    level,
    scale,
    hint: 'Skip products with all-zero plaintexts and differences of equals.',
  });
}

/** The error for a relinearisation by an engine that was opened without keys. */
export function missingRelinearizationKey({ level }: Operand): HeError {
  return new HeError('MISSING_RELINEARIZATION_KEY', 'the engine has no keys', {
    op: 'relinearize',
    level,
    hint: "Open the engine with the client's evaluation keys.",
  });
}

export function requireGaloisKey(op: string, parameters: Parameters, a: Operand, step: number, present: boolean): void {
  if (present) return;
  const element = galoisElement(step, parameters.polyModulusDegree);
  const use = step === CONJUGATION ? 'conjugation' : `rotation by ${step}`;
  const message = `there is no Galois key for ${use} (element ${element})`;
  fail('MISSING_GALOIS_KEY', op, a, message, 'Add the step to the manifest, or compose the rotation of steps that are there.');
}
