import { HeError } from '../errors.js';
import { createParameters, type Parameters } from '../parameters/parameters.js';
import { createJsonReader } from './json.js';
import type { TensorLayout } from './layout.js';
import { MAX_TENSORS, readLayout } from './read_layout.js';

/** What a client must know of a compiled program: public, JSON, and nothing of the weights. */
export interface Manifest {
  readonly format: 'he-manifest';
  /** 2 with state, which clients of version 1 do not know; 3 with copies in the layout of an input, which those of 2 do not. */
  readonly version: 1 | 2 | 3;
  readonly parameters: ManifestParameters;
  /** Rotation steps the program uses, each in 1..slots-1, ascending, distinct; 0 before them asks for the key of conjugation. */
  readonly galoisSteps: readonly number[];
  readonly inputs: readonly TensorLayout[];
  readonly outputs: readonly TensorLayout[];
  /** What stays at the server from run to run: the client encrypts what a sequence of runs begins with, usually zeros. Default: nothing. */
  readonly state?: readonly TensorLayout[];
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

const json = createJsonReader(
  (what) =>
    new HeError('MANIFEST_INVALID', what, { op: 'parseManifest', hint: 'Fetch the manifest again from a server of the same version.' }),
);

function readParameters(value: unknown, minimumSecurityBits: number): Parameters {
  const raw = json.record(value, 'parameters');
  const securityBits = raw.securityBits;
  if (securityBits !== 0 && securityBits !== 128 && securityBits !== 192 && securityBits !== 256)
    return json.fail('securityBits is not 0, 128, 192 or 256');
  if (securityBits < minimumSecurityBits) {
    throw new HeError('PARAMETERS_INSECURE', `the manifest offers ${securityBits}-bit security, ${minimumSecurityBits} are asked for`, {
      op: 'parseManifest',
      hint: 'Compile the program at the security level asked for.',
    });
  }
  if (typeof raw.valueBits !== 'number') return json.fail('valueBits is not a number');
  return createParameters({
    polyModulusDegree: json.integer(raw.polyModulusDegree, 'polyModulusDegree', 1024, 32768),
    coeffModulus: json.list(raw.coeffModulus, 'coeffModulus', 64).map((prime) => json.decimal(prime, 'a prime')),
    securityBits,
    refreshLevel: json.integer(raw.refreshLevel, 'refreshLevel', 0, 64),
    valueBits: raw.valueBits,
  });
}

/** Required in version 2. */
function stateOf({ version, state }: Readonly<Record<string, unknown>>): unknown {
  if (version === 1) return [];
  return version === 3 ? (state ?? []) : state;
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
  const raw = json.record(value, 'the manifest');
  if (raw.format !== 'he-manifest' || (raw.version !== 1 && raw.version !== 2 && raw.version !== 3))
    return json.fail('not an he-manifest of version 1, 2 or 3');
  const parameters = readParameters(raw.parameters, policy.minimumSecurityBits ?? 128);
  const { slots } = parameters;
  const galoisSteps = json.list(raw.galoisSteps, 'galoisSteps', slots).map((step) => json.integer(step, 'a rotation step', 0, slots - 1));
  if (galoisSteps.some((step, i) => i > 0 && step <= (galoisSteps[i - 1] ?? 0))) json.fail('galoisSteps are not ascending and distinct');
  const segments = json.integer(raw.segments, 'segments', 1, 1024);
  const refreshes = json.list(raw.refreshes, 'refreshes', 1023).map((n) => json.integer(n, 'a refresh count', 1, 1024));
  if (refreshes.length !== segments - 1) json.fail('refreshes has not one entry per segment but the last');
  const inputs = json.list(raw.inputs, 'inputs', MAX_TENSORS).map((layout) => readLayout(json, layout, slots));
  const outputs = json.list(raw.outputs, 'outputs', MAX_TENSORS).map((layout) => readLayout(json, layout, slots));
  const state = json.list(stateOf(raw), 'state', MAX_TENSORS).map((layout) => readLayout(json, layout, slots));
  const manifest: Manifest = {
    format: 'he-manifest',
    version: raw.version,
    parameters: manifestParameters(parameters),
    galoisSteps,
    inputs,
    outputs,
    ...(state.length === 0 ? {} : { state }),
    segments,
    refreshes,
  };
  return { manifest, parameters };
}
