import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import type { KeyReader } from './key_reader.js';
import { withoutCompression } from './seal_compression.js';
import type { RnsCiphertext } from './seal_format.js';
import { createSealFrames, galoisIndexOf } from './seal_frames.js';
import { readSealKeyPart, sealKeyPlaces, sealKeysBytes } from './seal_key_format.js';

/** Evaluation keys as programs save them with SEAL 4: seeded or not; not compressed, by zlib, or by zstd (Node 22.15 or later). */
export interface SealKeyObjects {
  /** RelinKeys. */
  readonly relinKeys: Uint8Array;
  /** GaloisKeys with exactly the keys of the manifest's steps. */
  readonly galoisKeys: Uint8Array;
}

/**
 * @param galoisSteps of the manifest: there must be these keys and no others
 * @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH, WIRE_UNSUPPORTED; the readers also WIRE_RESIDUE_RANGE.
 */
export async function readSealKeyObjects(
  { relinKeys, galoisKeys }: SealKeyObjects,
  parameters: Parameters,
  galoisSteps: readonly number[],
): Promise<KeyReader> {
  const { polyModulusDegree: degree } = parameters;
  const { keyShape: shape } = createSealFrames(parameters);
  const indexOf = new Map(galoisSteps.map((step) => [step, galoisIndexOf(step, degree)]));
  const open = async (bytes: Uint8Array, indices: readonly number[], outer: number) => {
    const plain = await withoutCompression(bytes, sealKeysBytes(shape, indices.length, outer));
    return { plain, places: sealKeyPlaces(plain, shape, indices, outer) };
  };
  const relinearization = await open(relinKeys, [0], 1);
  // Without rotations there is nothing to send: SEAL saves no empty GaloisKeys.
  const galois =
    galoisSteps.length === 0
      ? undefined
      : await open(
          galoisKeys,
          [...indexOf.values()].sort((a, b) => a - b),
          degree,
        );
  const read = (from: typeof galois, index: number | undefined): readonly RnsCiphertext[] => {
    const places = from?.places.get(index ?? -1);
    if (from === undefined || places === undefined) {
      throw new HeError('WIRE_MALFORMED', 'a key is missing', { op: 'load keys', hint: 'Send exactly the keys of the manifest.' });
    }
    return places.map((at) => readSealKeyPart(from.plain, at, shape));
  };
  return {
    steps: galoisSteps,
    relinearization: () => read(relinearization, 0),
    galois: (step) => read(galois, indexOf.get(step)),
  };
}
