import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { FRAME_HEADER, type WireEngine } from './frames.js';
import { createSealFrames } from './seal_frames.js';

/** The frames of one client's upload. */
export interface EvaluationKeyFrames {
  readonly relinearization: Uint8Array;
  readonly galois: readonly { readonly step: number; readonly frame: Uint8Array }[];
}

const MAGIC = 0x314b4548; // 'HEK1', little-endian
const PREFIX = 8;

function frameBytes(engine: WireEngine, parameters: Parameters): number {
  return engine === 'mock' ? FRAME_HEADER : createSealFrames(parameters).keyFrameBytes;
}

/** Exact size of the upload: what a server compares a Content-Length with before reading. */
export function evaluationKeysBytes(engine: WireEngine, parameters: Parameters, galoisSteps: readonly number[]): number {
  return PREFIX + (1 + galoisSteps.length) * frameBytes(engine, parameters);
}

/** 'HEK1', number of Galois keys (u32), relinearisation frame, Galois frames. */
export function joinEvaluationKeys(keys: EvaluationKeyFrames): Uint8Array {
  const frames = [keys.relinearization, ...keys.galois.map((key) => key.frame)];
  const out = new Uint8Array(frames.reduce((size, frame) => size + frame.length, PREFIX));
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, keys.galois.length, true);
  let at = PREFIX;
  for (const frame of frames) {
    out.set(frame, at);
    at += frame.length;
  }
  return out;
}

/**
 * Cuts an upload into frames (views, no copies); each frame is validated when the engine reads it.
 * @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED.
 */
export function splitEvaluationKeys(
  bytes: Uint8Array,
  engine: WireEngine,
  parameters: Parameters,
  galoisSteps: readonly number[],
): EvaluationKeyFrames {
  const size = evaluationKeysBytes(engine, parameters, galoisSteps);
  if (bytes.length !== size) {
    throw new HeError(
      bytes.length < size ? 'WIRE_TRUNCATED' : 'WIRE_MALFORMED',
      `${bytes.length} bytes of keys where ${size} are expected`,
      {
        op: 'load keys',
        hint: 'Send exactly the keys of the manifest.',
      },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== galoisSteps.length) {
    throw new HeError('WIRE_MALFORMED', 'not a set of evaluation keys', { op: 'load keys', hint: 'Use one version on both sides.' });
  }
  const frame = frameBytes(engine, parameters);
  const cut = (index: number) => bytes.subarray(PREFIX + index * frame, PREFIX + (index + 1) * frame);
  return { relinearization: cut(0), galois: galoisSteps.map((step, i) => ({ step, frame: cut(i + 1) })) };
}
