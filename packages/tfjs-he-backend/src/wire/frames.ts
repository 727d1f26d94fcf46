/**
 * The bytes client and server exchange. A frame is a 20-byte header and a body whose size is an exact function of the header and the
 * parameters, so nothing in a frame can make a reader allocate. SEAL's own serialisation never crosses the wire: residues are packed to
 * the width of their prime, checked on reading, and the native loader is only ever given bytes written by seal_format.ts.
 *
 *   header  'HEW1', kind (u8), engine (u8), level (u8), 0, fingerprint (8), rotation step (u32, Galois keys only, else 0)
 */
import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { bitLength } from '../parameters/primes.js';
import { parmsId } from './parms_id.js';
import { packedBytes, packResidues, unpackResidues } from './residues.js';
import { checkSeed, type RnsCiphertext, SEED_BYTES } from './seal_format.js';

/** Bytes of the header. */
export const FRAME_HEADER = 20;
const MAGIC = 0x31574548; // 'HEW1', little-endian

/** What a frame holds, as its header says it: `fresh` ciphertexts have a seed for their second polynomial. */
const KINDS = { fresh: 1, ciphertext: 2, relinearization: 3, galois: 4 } as const;
export type FrameKind = keyof typeof KINDS;
/** Whose residues, or values, a frame holds. */
export const ENGINES = { seal: 1, mock: 2 } as const;
export type WireEngine = keyof typeof ENGINES;

/** What the header says besides the parameters; `step` is 0 but for Galois keys. */
export interface FrameHeader {
  readonly kind: FrameKind;
  readonly engine: WireEngine;
  readonly level: number;
  readonly step: number;
}

/** First 8 bytes of SEAL's identifier of the key parameters: tells programs apart, not a security measure. */
export function fingerprint(parameters: Parameters): Uint8Array {
  return parmsId(parameters.polyModulusDegree, parameters.coeffModulus).slice(0, 8);
}

/** Writes the 20 bytes; `print` is {@link fingerprint} of the parameters. */
export function writeFrameHeader(out: Uint8Array, header: FrameHeader, print: Uint8Array): void {
  const view = new DataView(out.buffer, out.byteOffset, out.length);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, KINDS[header.kind]);
  view.setUint8(5, ENGINES[header.engine]);
  view.setUint8(6, header.level);
  out.set(print, 8);
  view.setUint32(16, header.step, true);
}

function refuse(
  code: 'WIRE_TRUNCATED' | 'WIRE_MALFORMED' | 'WIRE_PARAMETERS_MISMATCH' | 'WIRE_LEVEL',
  what: string,
  hint: string,
): HeError {
  return new HeError(code, what, { op: 'load', hint });
}

/** Whether a frame claims to hold a seeded (fresh) ciphertext; to be checked with {@link expectFrame}. */
export function claimsFresh(bytes: Uint8Array): boolean {
  return bytes[4] === KINDS.fresh;
}

/** Checks size and header against what must be there. @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH, WIRE_LEVEL. */
export function expectFrame(bytes: Uint8Array, header: FrameHeader, print: Uint8Array, bodyBytes: number): void {
  if (bytes.length < FRAME_HEADER) throw refuse('WIRE_TRUNCATED', 'no frame header', 'Send the frame again.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC || view.getUint8(7) !== 0)
    throw refuse('WIRE_MALFORMED', 'not a frame of this version', 'Use one version on both sides.');
  if (view.getUint8(4) !== KINDS[header.kind])
    throw refuse('WIRE_MALFORMED', `the frame is not of kind ${header.kind}`, 'Check the order of the frames.');
  if (view.getUint8(5) !== ENGINES[header.engine])
    throw refuse('WIRE_PARAMETERS_MISMATCH', `the frame is not for the ${header.engine} engine`, 'Use one engine on both sides.');
  if (print.some((byte, i) => bytes[8 + i] !== byte))
    throw refuse('WIRE_PARAMETERS_MISMATCH', 'the frame is for other parameters', 'Fetch the manifest again.');
  if (view.getUint8(6) !== header.level)
    throw refuse(
      'WIRE_LEVEL',
      `the ciphertext is at level ${view.getUint8(6)}, not ${header.level}`,
      'Send what the program returned for this step.',
    );
  if (view.getUint32(16, true) !== header.step)
    throw refuse('WIRE_MALFORMED', `the key is not for rotation step ${header.step}`, 'Send the keys of the manifest, in order.');
  const size = FRAME_HEADER + bodyBytes;
  if (bytes.length < size) throw refuse('WIRE_TRUNCATED', `${bytes.length} bytes where ${size} are needed`, 'Send the frame again.');
  if (bytes.length > size) throw refuse('WIRE_MALFORMED', 'bytes follow the frame', 'Send one frame at a time.');
}

/** Body bytes of `polynomials` residue polynomials, packed, and a seed. */
export function rnsBodyBytes(degree: number, primes: readonly bigint[], polynomials: number, seeded: boolean): number {
  const polynomial = primes.reduce((sum, prime) => sum + packedBytes(degree, bitLength(prime)), 0);
  return polynomials * polynomial + (seeded ? SEED_BYTES : 0);
}

/** Writes a body; returns the offset after it. */
export function packRns(c: RnsCiphertext, primes: readonly bigint[], out: Uint8Array, at: number): number {
  let position = at;
  for (const polynomial of c.polynomials) {
    polynomial.forEach((residues, i) => {
      position = packResidues(residues, bitLength(primes[i] ?? 0n), out, position);
    });
  }
  if (c.seed === undefined) return position;
  out.set(c.seed, position);
  return position + SEED_BYTES;
}

/** Reads a body whose size has been checked. @throws HeError WIRE_RESIDUE_RANGE, WIRE_UNSUPPORTED. */
export function unpackRns(
  bytes: Uint8Array,
  at: number,
  degree: number,
  primes: readonly bigint[],
  polynomials: number,
  seeded: boolean,
  scale: number,
): RnsCiphertext {
  let position = at;
  const read = Array.from({ length: polynomials }, () =>
    primes.map((prime) => {
      const bits = bitLength(prime);
      const residues = unpackResidues(bytes, position, degree, bits, Number(prime));
      position += packedBytes(degree, bits);
      return residues;
    }),
  );
  if (!seeded) return { scale, polynomials: read };
  const seed = bytes.slice(position, position + SEED_BYTES);
  checkSeed(seed);
  return { scale, polynomials: read, seed };
}
