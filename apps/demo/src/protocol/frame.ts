/**
 * Binary WebSocket messages: a list of ciphertexts in the backend's own wire form, which stays opaque here.
 *
 *   'HED1' (u32), kind (u8), 0 (u8), segment (u16), count (u32), count lengths (u32 each), bodies; all little-endian
 */
import { DemoError } from '../errors.js';

const MAGIC = 0x31444548; // 'HED1', little-endian
const HEADER = 12;

export const FRAME_KINDS = { inputs: 1, refresh: 2, refreshed: 3, outputs: 4 } as const;
export type FrameKind = keyof typeof FRAME_KINDS;

export interface Frame {
  readonly kind: FrameKind;
  /** Segment of the program that has just ended (refresh, refreshed); 0 otherwise. */
  readonly segment: number;
  readonly ciphertexts: readonly Uint8Array[];
}

export function encodeFrame({ kind, segment, ciphertexts }: Frame): Uint8Array {
  const start = HEADER + 4 * ciphertexts.length;
  const out = new Uint8Array(ciphertexts.reduce((size, body) => size + body.length, start));
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, FRAME_KINDS[kind]);
  view.setUint16(6, segment, true);
  view.setUint32(8, ciphertexts.length, true);
  let at = start;
  ciphertexts.forEach((body, i) => {
    view.setUint32(HEADER + 4 * i, body.length, true);
    out.set(body, at);
    at += body.length;
  });
  return out;
}

/**
 * Reads a message that must hold `count` ciphertexts of the given kind and segment. The ciphertexts are views of `bytes`.
 * @throws DemoError PROTOCOL.
 */
export function decodeFrame(bytes: Uint8Array, expected: { kind: FrameKind; segment: number; count: number }): Uint8Array[] {
  if (bytes.length < HEADER) throw malformed('a message is shorter than its header');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC || view.getUint8(5) !== 0) throw malformed('a message is not of this protocol');
  if (view.getUint8(4) !== FRAME_KINDS[expected.kind]) throw malformed(`a message is not of kind ${expected.kind}`);
  if (view.getUint16(6, true) !== expected.segment) throw malformed(`a message is not about segment ${expected.segment}`);
  const count = view.getUint32(8, true);
  if (count !== expected.count) throw malformed(`a message has ${count} ciphertexts where ${expected.count} are expected`);
  const start = HEADER + 4 * count;
  if (bytes.length < start) throw malformed('a message is truncated');
  const lengths = Array.from({ length: count }, (_, i) => view.getUint32(HEADER + 4 * i, true));
  if (lengths.reduce((sum, length) => sum + length, start) !== bytes.length) throw malformed('the lengths in a message do not add up');
  let at = start;
  return lengths.map((length) => {
    const body = bytes.subarray(at, at + length);
    at += length;
    return body;
  });
}

/** Largest message with `count` ciphertexts of at most `ciphertextBytes` each. */
export function maxFrameBytes(count: number, ciphertextBytes: number): number {
  return HEADER + count * (4 + ciphertextBytes);
}

function malformed(what: string): DemoError {
  return new DemoError('PROTOCOL', `${what}: use the same version of the demo on both sides`);
}
