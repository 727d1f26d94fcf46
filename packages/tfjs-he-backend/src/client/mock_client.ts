import { Ledger } from '../engines/ledger.js';
import { createNoiseModel, createSlotNoise } from '../engines/mock_noise.js';
import { HeError } from '../errors.js';
import { throwIfAborted } from '../turns.js';
import { joinEvaluationKeys } from '../wire/evaluation_keys.js';
import type { ParsedManifest } from '../wire/manifest.js';
import { createMockFrames } from '../wire/mock_frames.js';
import type { Client } from './client.js';
import { checkSlotVectors, yieldToEventLoop } from './common.js';

/** The client of the mock engine: same messages, same noise, no secrecy at all. */
export function createMockClient({ manifest, parameters }: ParsedManifest, seed: number): Client {
  const { maxLevel, refreshLevel } = parameters;
  const frames = createMockFrames(parameters);
  const model = createNoiseModel(parameters);
  const addNoise = createSlotNoise(parameters, seed);
  const topScale = parameters.levelScale(maxLevel);

  return {
    manifest,
    parameters,
    ledger: new Ledger(),
    async evaluationKeys(onProgress = () => {}, signal) {
      const total = manifest.galoisSteps.length + 1;
      onProgress(1, total);
      const galois: { step: number; frame: Uint8Array }[] = [];
      for (const step of manifest.galoisSteps) {
        if (galois.length % 64 === 0) await yieldToEventLoop();
        throwIfAborted(signal, 'evaluationKeys');
        galois.push({ step, frame: frames.frameKey('galois', step) });
        onProgress(galois.length + 1, total);
      }
      return joinEvaluationKeys({ relinearization: frames.frameKey('relinearization', 0), galois });
    },
    publicKey() {
      const values = new Float64Array(parameters.slots);
      addNoise(values, model.encrypt, topScale);
      return frames.frameCiphertext({ values }, refreshLevel);
    },
    encrypt(slotVectors) {
      checkSlotVectors(slotVectors, parameters);
      return slotVectors.map((vector) => {
        const values = vector.slice();
        addNoise(values, Math.hypot(model.encode, model.encrypt), topScale);
        return frames.frameCiphertext({ values }, maxLevel);
      });
    },
    refresh: (ciphertexts) =>
      ciphertexts.map((frame) => {
        const contents = frames.unframeCiphertext(frame, refreshLevel);
        addNoise(contents.values, model.encrypt, topScale);
        return frames.frameCiphertext(contents, maxLevel);
      }),
    decrypt: (ciphertexts) =>
      ciphertexts.map((frame) => {
        const { values, mask } = frames.unframeCiphertext(frame, refreshLevel);
        if (mask === undefined) return values;
        throw new HeError('MASK_MISMATCH', 'a masked ciphertext would decrypt to noise', {
          op: 'decrypt',
          hint: 'Outputs must not be masked.',
        });
      }),
    dispose() {},
  };
}
