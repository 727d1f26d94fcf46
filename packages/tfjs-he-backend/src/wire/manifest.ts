import { HeError } from '../errors.js';
import { createParameters, type Parameters } from '../parameters/parameters.js';
import { sizeOf, type TensorLayout } from './layout.js';

/** What a client must know of a compiled program: public, JSON, and nothing of the weights. */
export interface Manifest {
  readonly format: 'he-manifest';
  readonly version: 1;
  readonly parameters: ManifestParameters;
  /** Rotation steps the program uses, each in 1..slots-1, ascending, distinct. */
  readonly galoisSteps: readonly number[];
  readonly inputs: readonly TensorLayout[];
  readonly outputs: readonly TensorLayout[];
  /** Pieces the program is cut into; one refresh lies between two of them. */
  readonly segments: number;
  /** Ciphertexts refreshed after each segment but the last (length segments - 1). */
  readonly refreshes: readonly number[];
}

export interface ManifestParameters {
  readonly polyModulusDegree: number;
  /** Decimal strings. */
  readonly coeffModulus: readonly string[];
  readonly securityBits: 0 | 128 | 192 | 256;
  readonly refreshLevel: number;
  readonly valueBits: number;
}

export function manifestParameters(parameters: Parameters): ManifestParameters {
  return {
    polyModulusDegree: parameters.polyModulusDegree,
    coeffModulus: parameters.coeffModulus.map(String),
    securityBits: parameters.securityBits,
    refreshLevel: parameters.refreshLevel,
    valueBits: parameters.valueBits,
  };
}

export interface ManifestPolicy {
  /** Refuse manifests with less security (default 128). 0 accepts insecure test parameters. */
  readonly minimumSecurityBits?: 0 | 128 | 192 | 256;
}

const MAX_ELEMENTS = 1 << 22;

function fail(what: string): never {
  throw new HeError('MANIFEST_INVALID', what, { op: 'parseManifest', hint: 'Fetch the manifest again from a server of the same version.' });
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(`${what} is not an object`);
  return value as Record<string, unknown>; // a non-null, non-array object has string keys and unknown values
}

function list(value: unknown, what: string, maxLength = MAX_ELEMENTS): readonly unknown[] {
  if (!Array.isArray(value) || value.length > maxLength) fail(`${what} is not a list of at most ${maxLength}`);
  return value;
}

function integer(value: unknown, what: string, low: number, high: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    fail(`${what} is not an integer in ${low}..${high}`);
  }
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string' || value.length > 256) fail(`${what} is not a string of at most 256 characters`);
  return value;
}

function prime(value: unknown): bigint {
  const digits = text(value, 'a prime');
  if (!/^[1-9][0-9]{0,18}$/.test(digits)) fail('a prime is not a decimal number');
  return BigInt(digits);
}

function readParameters(value: unknown, minimumSecurityBits: number): Parameters {
  const raw = record(value, 'parameters');
  const securityBits = raw.securityBits;
  if (securityBits !== 0 && securityBits !== 128 && securityBits !== 192 && securityBits !== 256)
    fail('securityBits is not 0, 128, 192 or 256');
  if (securityBits < minimumSecurityBits) {
    throw new HeError('PARAMETERS_INSECURE', `the manifest offers ${securityBits}-bit security, ${minimumSecurityBits} are asked for`, {
      op: 'parseManifest',
      hint: 'Compile the program at the security level asked for.',
    });
  }
  if (typeof raw.valueBits !== 'number') fail('valueBits is not a number');
  return createParameters({
    polyModulusDegree: integer(raw.polyModulusDegree, 'polyModulusDegree', 1024, 32768),
    coeffModulus: list(raw.coeffModulus, 'coeffModulus', 64).map(prime),
    securityBits,
    refreshLevel: integer(raw.refreshLevel, 'refreshLevel', 0, 64),
    valueBits: raw.valueBits,
  });
}

function readLayout(value: unknown, slots: number): TensorLayout {
  const raw = record(value, 'a layout');
  const name = text(raw.name, 'a layout name');
  const shape = list(raw.shape, `shape of ${name}`, 8).map((n) => integer(n, `a dimension of ${name}`, 1, MAX_ELEMENTS));
  const ciphertexts = integer(raw.ciphertexts, `ciphertexts of ${name}`, 1, 1024);
  const period = integer(raw.period, `period of ${name}`, 1, slots);
  if (slots % period !== 0) fail(`period of ${name} does not divide the slot count`);
  const slotOf = list(raw.slotOf, `slotOf of ${name}`).map((s) => integer(s, `a slot of ${name}`, 0, ciphertexts * slots - 1));
  if (slotOf.length !== sizeOf(shape)) fail(`slotOf of ${name} has not one place per element`);
  if (slotOf.some((place) => place % slots >= period)) fail(`a slot of ${name} is beyond its period`);
  if (new Set(slotOf).size !== slotOf.length) fail(`two elements of ${name} share a slot`);
  return { name, shape, ciphertexts, slotOf, period };
}

/** A validated manifest with its parameters built. */
export interface ParsedManifest {
  readonly manifest: Manifest;
  readonly parameters: Parameters;
}

/**
 * Validates a manifest (a parsed JSON value of any origin).
 * @throws HeError MANIFEST_INVALID, PARAMETERS_INVALID, PARAMETERS_INSECURE.
 */
export function parseManifest(value: unknown, policy: ManifestPolicy = {}): ParsedManifest {
  const raw = record(value, 'the manifest');
  if (raw.format !== 'he-manifest' || raw.version !== 1) fail('not an he-manifest of version 1');
  const parameters = readParameters(raw.parameters, policy.minimumSecurityBits ?? 128);
  const { slots } = parameters;
  const galoisSteps = list(raw.galoisSteps, 'galoisSteps', slots).map((step) => integer(step, 'a rotation step', 1, slots - 1));
  if (galoisSteps.some((step, i) => i > 0 && step <= (galoisSteps[i - 1] ?? 0))) fail('galoisSteps are not ascending and distinct');
  const segments = integer(raw.segments, 'segments', 1, 1024);
  const refreshes = list(raw.refreshes, 'refreshes', 1023).map((n) => integer(n, 'a refresh count', 1, 1024));
  if (refreshes.length !== segments - 1) fail('refreshes has not one entry per segment but the last');
  const inputs = list(raw.inputs, 'inputs', 64).map((layout) => readLayout(layout, slots));
  const outputs = list(raw.outputs, 'outputs', 64).map((layout) => readLayout(layout, slots));
  const manifest: Manifest = {
    format: 'he-manifest',
    version: 1,
    parameters: manifestParameters(parameters),
    galoisSteps,
    inputs,
    outputs,
    segments,
    refreshes,
  };
  return { manifest, parameters };
}
