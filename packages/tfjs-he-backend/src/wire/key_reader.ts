import type { EvaluationKeyFrames } from './evaluation_keys.js';
import type { RnsCiphertext } from './seal_format.js';
import type { SealFrames } from './seal_frames.js';

/** Evaluation keys that are read, and checked, one by one. */
export interface KeyReader {
  readonly steps: readonly number[];
  /** One ciphertext per data prime, over all primes, of two polynomials or one and a seed. @throws HeError WIRE_*. */
  relinearization(): readonly RnsCiphertext[];
  /** @throws HeError WIRE_*. */
  galois(step: number): readonly RnsCiphertext[];
}

/** Of frames, which hold seeded keys. */
export function readKeyFrames(frames: SealFrames, keys: EvaluationKeyFrames): KeyReader {
  const frameOf = new Map(keys.galois.map(({ step, frame }) => [step, frame]));
  return {
    steps: keys.galois.map(({ step }) => step),
    relinearization: () => frames.readRelinearization(keys.relinearization),
    galois: (step) => frames.readGalois(frameOf.get(step) ?? new Uint8Array(0), step),
  };
}
