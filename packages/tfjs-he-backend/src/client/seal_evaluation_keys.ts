import type { KeyGenerator } from 'node-seal';
import { callSeal } from '../seal/errors.js';
import { throwIfAborted } from '../turns.js';
import { joinEvaluationKeys } from '../wire/evaluation_keys.js';
import type { SealFrames } from '../wire/seal_frames.js';
import type { KeyProgress } from './client.js';
import { yieldToEventLoop } from './common.js';
import type { ClientSeal } from './seal_module.js';

/** What makes evaluation keys, and how it is asked to stop. */
export interface KeyMaking {
  readonly generator: KeyGenerator;
  readonly frames: SealFrames;
  readonly steps: readonly number[];
  readonly onProgress: KeyProgress;
  readonly signal: AbortSignal | undefined;
  /** Called before every key. @throws HeError when the client has been disposed of. */
  readonly requireLive: () => void;
}

/** A relinearisation key and a Galois key for every step, one after the other, as one upload. @throws HeError ABORTED, and what `requireLive` throws. */
export async function makeEvaluationKeys(seal: ClientSeal, making: KeyMaking): Promise<Uint8Array> {
  const { generator, frames, steps, onProgress, signal, requireLive } = making;
  const none = seal.ComprModeType.none;
  requireLive();
  const relinearization = callSeal({ op: 'create relinearisation key' }, () => {
    const key = generator.createRelinKeysSerializable();
    try {
      return frames.frameRelinearization(key.saveToArray(none));
    } finally {
      key.delete();
    }
  });
  const galoisFrame = (step: number): Uint8Array =>
    callSeal({ op: 'create Galois key' }, () => {
      const key = generator.createGaloisKeysSerializableWithSteps(Int32Array.of(step));
      try {
        return frames.frameGalois(key.saveToArray(none), step);
      } finally {
        key.delete();
      }
    });
  const galois: { step: number; frame: Uint8Array }[] = [];
  onProgress(1, steps.length + 1);
  for (const step of steps) {
    await yieldToEventLoop();
    throwIfAborted(signal, 'evaluationKeys');
    requireLive();
    galois.push({ step, frame: galoisFrame(step) });
    onProgress(galois.length + 1, steps.length + 1);
  }
  return joinEvaluationKeys({ relinearization, galois });
}
