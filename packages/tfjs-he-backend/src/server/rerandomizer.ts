import { randomBytes } from '@noble/hashes/utils.js';
import { createSlotNoise } from '../engines/mock_noise.js';
import { HeError } from '../errors.js';
import type { Outgoing } from '../executor/run.js';
import type { Parameters } from '../parameters/parameters.js';
import { type CiphertextPair, rerandomizationStd, rerandomize, rerandomizedBits } from '../ring/rerandomize.js';
import { createRing } from '../ring/ring.js';
import { MAX_UNIFORM_BITS } from '../ring/small_polynomials.js';
import { createMockFrames } from '../wire/mock_frames.js';
import type { RnsCiphertext } from '../wire/seal_format.js';
import { createSealFrames } from '../wire/seal_frames.js';
import type { ServerEngine } from './types.js';

/** Fewer bits than these are no result. */
const LEAST_BITS = 2;

/** @throws HeError PARAMETERS_INVALID: not a number of bits, or so many that outputs would be lost in noise. */
export function checkFloodBits(floodBits: number, parameters: Parameters): void {
  if (!Number.isInteger(floodBits) || floodBits < 0 || floodBits > MAX_UNIFORM_BITS) {
    throw new HeError('PARAMETERS_INVALID', `${floodBits} flood bits`, {
      op: 'createServer',
      hint: `Give an integer from 0 to ${MAX_UNIFORM_BITS}.`,
    });
  }
  const left = rerandomizedBits(parameters, floodBits);
  if (left >= LEAST_BITS) return;
  throw new HeError('PARAMETERS_INVALID', `${floodBits} flood bits leave ${left.toFixed(1)} bits of outputs`, {
    op: 'createServer',
    hint: `Give at most ${Math.floor(floodBits + left - LEAST_BITS)}, or compile with more precisionBits.`,
  });
}

/**
 * Re-randomises what leaves a server: outputs with `floodBits`, ciphertexts to be refreshed without, since their masks are a flood already. On mock it
 * adds the noise only.
 * @param publicKey what Client.publicKey() made. @throws HeError WIRE_*, PARAMETERS_INVALID (there is none).
 */
export function createRerandomizer(
  engine: ServerEngine,
  parameters: Parameters,
  publicKey: Uint8Array | undefined,
  floodBits: number,
): Outgoing {
  if (publicKey === undefined) {
    throw new HeError('PARAMETERS_INVALID', 'there is no public key to re-randomise ciphertexts with', {
      op: 'openSession',
      hint: 'Pass what the client made with publicKey().',
    });
  }
  const change = engine === 'mock' ? onMock(parameters, publicKey) : onCiphertexts(parameters, publicKey);
  return { refresh: (frame) => change(frame, 0), output: (frame) => change(frame, floodBits) };
}

type Change = (frame: Uint8Array, floodBits: number) => Uint8Array;

function onCiphertexts(parameters: Parameters, publicKey: Uint8Array): Change {
  const { refreshLevel } = parameters;
  const frames = createSealFrames(parameters);
  const ring = createRing(parameters);
  const zero = pairOf(frames.readCiphertext(publicKey, refreshLevel, false));
  return (frame, floodBits) => {
    const c = frames.readCiphertext(frame, refreshLevel, false);
    return frames.writeCiphertext(
      { scale: c.scale, polynomials: rerandomize(pairOf(c), zero, ring, floodBits, randomBytes(32)) },
      refreshLevel,
    );
  };
}

function pairOf({ polynomials: [first = [], second = []] }: RnsCiphertext): CiphertextPair {
  return [first, second];
}

function onMock(parameters: Parameters, publicKey: Uint8Array): Change {
  const { refreshLevel } = parameters;
  const frames = createMockFrames(parameters);
  frames.unframeCiphertext(publicKey, refreshLevel);
  const addNoise = createSlotNoise(parameters, 3);
  return (frame, floodBits) => {
    const contents = frames.unframeCiphertext(frame, refreshLevel);
    addNoise(contents.values, rerandomizationStd(parameters, floodBits), parameters.levelScale(refreshLevel));
    return frames.frameCiphertext(contents, refreshLevel);
  };
}
