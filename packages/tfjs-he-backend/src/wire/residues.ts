import { HeError } from '../errors.js';

// `as number` on indexed reads undoes noUncheckedIndexedAccess: all lengths are checked before the loops (see ring/ntt.ts).

/** Residues pass in two halves, since bit operations have 32 bits; one after the other in the same lines, since a loop or a function for both takes several times as long. */
const HALF_BITS = 25;
const HALF = 2 ** HALF_BITS;
const WORD_BITS = 32;

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
  const view = viewOf(out);
  let position = at;
  let pending = 0;
  let word = 0;
  for (let i = 0; i < residues.length; i++) {
    const value = residues[i] as number;
    const high = Math.floor(value / HALF);
    const low = value - high * HALF;
    word |= low << pending;
    pending += lowBits;
    if (pending >= WORD_BITS) {
      view.setUint32(position, word, true);
      position += 4;
      pending -= WORD_BITS;
      word = low >>> (lowBits - pending);
    }
    word |= high << pending;
    pending += highBits;
    if (pending >= WORD_BITS) {
      view.setUint32(position, word, true);
      position += 4;
      pending -= WORD_BITS;
      word = high >>> (highBits - pending);
    }
  }
  for (; pending > 0; pending -= 8, word >>>= 8) out[position++] = word;
  return position;
}

/** Inverse of {@link packResidues}. The caller has checked that the bytes are there. @throws HeError WIRE_RESIDUE_RANGE. */
export function unpackResidues(bytes: Uint8Array, at: number, count: number, bits: number, prime: number): Float64Array {
  const lowBits = Math.min(bits, HALF_BITS);
  const highBits = bits - lowBits;
  const lowMask = 2 ** lowBits - 1;
  const highMask = 2 ** highBits - 1;
  const view = viewOf(bytes);
  const end = at + packedBytes(count, bits);
  const residues = new Float64Array(count);
  let position = at;
  let pending = 0;
  let word = 0;
  let largest = 0;
  for (let i = 0; i < count; i++) {
    let low = word;
    if (pending < lowBits) {
      word = position + 4 <= end ? view.getUint32(position, true) : lastWord(bytes, position, end);
      position += 4;
      low |= word << pending;
      word >>>= lowBits - pending;
      pending += WORD_BITS - lowBits;
    } else {
      word >>>= lowBits;
      pending -= lowBits;
    }
    let high = word;
    if (pending < highBits) {
      word = position + 4 <= end ? view.getUint32(position, true) : lastWord(bytes, position, end);
      position += 4;
      high |= word << pending;
      word >>>= highBits - pending;
      pending += WORD_BITS - highBits;
    } else {
      word >>>= highBits;
      pending -= highBits;
    }
    const value = (low & lowMask) + (high & highMask) * HALF;
    if (value > largest) largest = value;
    residues[i] = value;
  }
  checkRange(largest, prime);
  return residues;
}

/** The fewer than four bytes that are left, as a little-endian word. */
function lastWord(bytes: Uint8Array, position: number, end: number): number {
  let word = 0;
  for (let at = end - 1; at >= position; at--) word = (word << 8) | (bytes[at] as number);
  return word;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
