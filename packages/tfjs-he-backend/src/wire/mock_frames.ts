import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { expectFrame, FRAME_HEADER, type FrameHeader, type FrameKind, fingerprint, writeFrameHeader } from './frames.js';

/** A mock "ciphertext": the values in the clear, and the name of the mask that would be on it. */
export interface MockContents {
  readonly values: Float64Array;
  readonly mask?: Uint8Array;
}

const TAG_BYTES = 32;

/** Frames of the mock engine: body = masked (u8), mask name (32), slot values (f64 each). Key frames have no body. */
export interface MockFrames {
  frameCiphertext(contents: MockContents, level: number): Uint8Array;
  unframeCiphertext(frame: Uint8Array, level: number): MockContents;
  frameKey(kind: 'relinearization' | 'galois', step: number): Uint8Array;
  checkKey(frame: Uint8Array, kind: 'relinearization' | 'galois', step: number): void;
}

/** Reading throws HeError WIRE_* for what is damaged, or for other parameters. */
export function createMockFrames(parameters: Parameters): MockFrames {
  const print = fingerprint(parameters);
  const bodyBytes = 1 + TAG_BYTES + 8 * parameters.slots;
  const header = (kind: FrameKind, level: number, step: number): FrameHeader => ({ kind, engine: 'mock', level, step });
  return {
    frameCiphertext({ values, mask }, level) {
      const out = new Uint8Array(FRAME_HEADER + bodyBytes);
      writeFrameHeader(out, header('ciphertext', level, 0), print);
      const view = new DataView(out.buffer);
      if (mask !== undefined) {
        view.setUint8(FRAME_HEADER, 1);
        out.set(mask, FRAME_HEADER + 1);
      }
      values.forEach((value, i) => {
        view.setFloat64(FRAME_HEADER + 1 + TAG_BYTES + 8 * i, value, true);
      });
      return out;
    },
    unframeCiphertext(frame, level) {
      expectFrame(frame, header('ciphertext', level, 0), print, bodyBytes);
      const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
      const masked = view.getUint8(FRAME_HEADER);
      const values = Float64Array.from({ length: parameters.slots }, (_, i) => view.getFloat64(FRAME_HEADER + 1 + TAG_BYTES + 8 * i, true));
      if (masked > 1 || !values.every(Number.isFinite)) {
        throw new HeError('WIRE_MALFORMED', 'the mock ciphertext is damaged', { op: 'load', level, hint: 'Send the frame again.' });
      }
      return masked === 0 ? { values } : { values, mask: frame.slice(FRAME_HEADER + 1, FRAME_HEADER + 1 + TAG_BYTES) };
    },
    frameKey(kind, step) {
      const out = new Uint8Array(FRAME_HEADER);
      writeFrameHeader(out, header(kind, parameters.maxLevel, step), print);
      return out;
    },
    checkKey: (frame, kind, step) => expectFrame(frame, header(kind, parameters.maxLevel, step), print, 0),
  };
}
