import { scalesAgree } from '../engines/rules.js';
import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { withoutCompression } from '../wire/seal_compression.js';
import { readFreshSealCiphertext, sealCiphertextBytes } from '../wire/seal_format.js';
import { createSealFrames } from '../wire/seal_frames.js';

/** Ciphertexts as SEAL saves them -> frames. @throws HeError WIRE_*. */
export async function fromSeal(parameters: Parameters, ciphertexts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const { maxLevel } = parameters;
  const frames = createSealFrames(parameters);
  const shape = frames.shape(maxLevel);
  const mostBytes = sealCiphertextBytes(shape, 2, false);
  return Promise.all(
    ciphertexts.map(async (bytes) => {
      const plain = await withoutCompression(bytes, mostBytes);
      const { scale, seed } = readFreshSealCiphertext(plain, shape);
      if (scalesAgree(scale, parameters.levelScale(maxLevel))) return frames.frameCiphertext(plain, maxLevel, seed !== undefined);
      throw new HeError('WIRE_MALFORMED', `the scale is not 2^${Math.log2(parameters.levelScale(maxLevel))}`, {
        op: 'fromSeal',
        level: maxLevel,
        hint: 'Encode at that scale, to all its digits.',
      });
    }),
  );
}

/** Frames of outputs -> ciphertexts as SEAL loads them. @throws HeError WIRE_*. */
export function toSeal(parameters: Parameters, outputs: readonly Uint8Array[]): Uint8Array[] {
  const frames = createSealFrames(parameters);
  return outputs.map((frame) => frames.unframeCiphertext(frame, parameters.refreshLevel, false));
}
