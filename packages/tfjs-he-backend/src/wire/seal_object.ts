import { HeError } from '../errors.js';

const MAGIC = 0xa15e;
/** How an object is compressed that is not, in its header. */
export const NOT_COMPRESSED = 0;
/** Bytes of the header that every object begins with. */
export const HEADER = 16;

/** Primes of one level (or of the keys) with their SEAL identifier. */
export interface RnsShape {
  readonly degree: number;
  readonly primes: readonly number[];
  readonly parmsId: Uint8Array;
}

/** The error for what SEAL would not have saved. */
export function malformed(what: string, cause?: unknown): HeError {
  return new HeError('WIRE_MALFORMED', what, { op: 'load', hint: 'Send what SEAL saved, unchanged.', cause });
}

/** A view of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** @throws HeError WIRE_TRUNCATED unless there are bytes up to `end`. */
export function need(bytes: Uint8Array, end: number): void {
  if (end > bytes.length) {
    throw new HeError('WIRE_TRUNCATED', `${bytes.length} bytes where ${end} are needed`, { op: 'load', hint: 'Send the object again.' });
  }
}

/** Checks the header of an uncompressed object of `size` bytes, and that they are there. @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED. */
export function readHeader(bytes: Uint8Array, at: number, size: number, what: string): void {
  if (readCompression(bytes, at, size, what) !== NOT_COMPRESSED) throw malformed(`${what} is compressed`);
  need(bytes, at + size);
}

/** How an object of `size` bytes is compressed, by its header: a number of SEAL's. @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED. */
export function readCompression(bytes: Uint8Array, at: number, size: number, what: string): number {
  need(bytes, at + HEADER);
  const view = viewOf(bytes);
  if (view.getUint16(at, true) !== MAGIC || view.getUint8(at + 2) !== HEADER) throw malformed(`${what} has no SEAL header`);
  if (view.getUint8(at + 3) !== 4) throw malformed(`${what} is not of SEAL 4`);
  if (view.getUint16(at + 6, true) !== 0) throw malformed(`${what} uses reserved bytes`);
  if (view.getBigUint64(at + 8, true) !== BigInt(size)) throw malformed(`${what} states a wrong size`);
  return view.getUint8(at + 5);
}

/** The header of an uncompressed object of SEAL 4.1, of `size` bytes in all. */
export function writeHeader(view: DataView, at: number, size: number): void {
  view.setUint16(at, MAGIC, true);
  view.setUint8(at + 2, HEADER);
  view.setUint8(at + 3, 4);
  view.setUint8(at + 4, 1);
  view.setBigUint64(at + 8, BigInt(size), true);
}

/** @throws HeError WIRE_MALFORMED unless the 64-bit word at `at` is the expected one. */
export function expectWord(view: DataView, at: number, expected: number, what: string): void {
  if (view.getBigUint64(at, true) !== BigInt(expected)) throw malformed(`${what} is not ${expected}`);
}

/** @throws HeError WIRE_PARAMETERS_MISMATCH. */
export function expectParmsId(bytes: Uint8Array, at: number, shape: RnsShape): void {
  if (shape.parmsId.some((byte, i) => bytes[at + i] !== byte)) {
    throw new HeError('WIRE_PARAMETERS_MISMATCH', 'the object belongs to other parameters or another level', {
      op: 'load',
      hint: 'Make it with the parameters of the manifest.',
    });
  }
}
