import { HeError } from '../errors.js';

// `as number` on indexed reads undoes noUncheckedIndexedAccess: all lengths are checked before the loops (see ring/ntt.ts).

const HALF_BITS = 25;
const HALF = 2 ** HALF_BITS;

/** Reads `count` little-endian 64-bit words as residues. @throws HeError WIRE_RESIDUE_RANGE when one is not below `prime`. */
export function readWords(view: DataView, at: number, count: number, prime: number): Float64Array {
  const residues = new Float64Array(count);
  let largest = 0;
  for (let i = 0; i < count; i++) {
    const value = view.getUint32(at + 8 * i, true) + view.getUint32(at + 8 * i + 4, true) * 2 ** 32;
    if (value > largest) largest = value;
    residues[i] = value;
  }
  checkRange(largest, prime);
  return residues;
}

/** Writes residues as little-endian 64-bit words. */
export function writeWords(view: DataView, at: number, residues: Float64Array): void {
  for (let i = 0; i < residues.length; i++) {
    const value = residues[i] as number;
    const high = Math.floor(value / 2 ** 32);
    view.setUint32(at + 8 * i, value - high * 2 ** 32, true);
    view.setUint32(at + 8 * i + 4, high, true);
  }
}

function checkRange(largest: number, prime: number): void {
  if (largest >= prime) {
    throw new HeError('WIRE_RESIDUE_RANGE', 'a residue is not below its modulus', {
      op: 'load',
      hint: 'The bytes are damaged or made for other parameters.',
    });
  }
}

/** Bytes of `count` residues (a multiple of 8) packed to `bits` bits each. */
export function packedBytes(count: number, bits: number): number {
  return (count / 8) * bits;
}

/** Packs residues below 2^bits (bits in 26..50, or fewer) densely, least significant bit first. Returns the offset after them. */
export function packResidues(residues: Float64Array, bits: number, out: Uint8Array, at: number): number {
  const lowBits = Math.min(bits, HALF_BITS);
  const highBits = bits - lowBits;
  let position = at;
  let pending = 0;
  let accumulator = 0;
  for (let i = 0; i < residues.length; i++) {
    const value = residues[i] as number;
    const high = Math.floor(value / HALF);
    // pending < 8 and a half has at most 25 bits: 32 bits suffice.
    accumulator |= (value - high * HALF) << pending;
    for (pending += lowBits; pending >= 8; pending -= 8, accumulator >>>= 8) out[position++] = accumulator;
    accumulator |= high << pending;
    for (pending += highBits; pending >= 8; pending -= 8, accumulator >>>= 8) out[position++] = accumulator;
  }
  return position;
}

/** Inverse of {@link packResidues}. The caller has checked that the bytes are there. @throws HeError WIRE_RESIDUE_RANGE. */
export function unpackResidues(bytes: Uint8Array, at: number, count: number, bits: number, prime: number): Float64Array {
  const lowBits = Math.min(bits, HALF_BITS);
  const highBits = bits - lowBits;
  const lowMask = 2 ** lowBits - 1;
  const highMask = 2 ** highBits - 1;
  const residues = new Float64Array(count);
  let position = at;
  let pending = 0;
  let accumulator = 0;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    for (; pending < lowBits; pending += 8) accumulator |= (bytes[position++] as number) << pending;
    const low = accumulator & lowMask;
    accumulator >>>= lowBits;
    pending -= lowBits;
    for (; pending < highBits; pending += 8) accumulator |= (bytes[position++] as number) << pending;
    const value = low + (accumulator & highMask) * HALF;
    accumulator >>>= highBits;
    pending -= highBits;
    if (value > largest) largest = value;
    residues[i] = value;
  }
  checkRange(largest, prime);
  return residues;
}
