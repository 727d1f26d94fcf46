import { chacha20 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { createFactor, createModulus, multiplyByFactor, reduce } from './modulus.js';
import { forwardNtt } from './ntt.js';
import type { Ring } from './ring.js';

/** Where a mask comes from: nothing else is kept between masking and unmasking. */
export interface MaskSeed {
  /** 32 secret bytes of the server. */
  readonly serverKey: Uint8Array;
  /** Session identifier, any string. */
  readonly session: string;
  /** Segment after which the ciphertext is refreshed. */
  readonly segment: number;
  /** Index of the ciphertext in that refresh. (serverKey, session, segment, index) must never be used for two ciphertexts. */
  readonly index: number;
}

/** Least slack, in bits per coefficient, of the mask over the message. */
export const MINIMUM_MASK_SLACK_BITS = 40;

const DOMAIN = 'tfjs-he-backend refresh mask v1';
const LIMB_BYTES = 6;
const LIMB = 2 ** (8 * LIMB_BYTES);
/** Bits of the limbs that {@link sampleMask} gives. */
export const MASK_LIMB_BITS = 8 * LIMB_BYTES;

/** Bits B of the mask: coefficients uniform in [0, 2^B), 2^B <= Q_refreshLevel / 4, so that mask + message never wraps. */
export function maskBits(parameters: Parameters): number {
  return Math.floor(parameters.modulusBits(parameters.refreshLevel)) - 2;
}

/** Largest noise in a slot at a refresh that masks allow for. A value that is off by 1 is of no use to a model. */
const LARGEST_SLOT_NOISE = 1;

/**
 * log2 of M, the largest absolute coefficient of a polynomial that is refreshed. Slots z and coefficients m of a polynomial of scale S obey
 * m_k = S (2/N) sum_{j < N/2} Re(z_j conj(zeta_j)^k) with |zeta_j| = 1 (Cheon, Kim, Kim and Song 2017, section 3.2), hence |m_k| <= S max_j |z_j|:
 * M = S (2^valueBits + noise). The bound is reached: equal slots give one coefficient of S |z|.
 */
export function messageBits(parameters: Parameters): number {
  return Math.log2(parameters.levelScale(parameters.refreshLevel)) + Math.log2(2 ** parameters.valueBits + LARGEST_SLOT_NOISE);
}

/**
 * log2 of the range of the mask over the largest message coefficient, 2^B / M. A coefficient of mask + message is within statistical distance
 * M / 2^B = 2^-slack of the mask alone, all N together within N * 2^-slack (SECURITY.md derives it).
 */
export function maskSlackBits(parameters: Parameters): number {
  return maskBits(parameters) - messageBits(parameters);
}

/** @throws HeError PARAMETERS_MASK_SLACK when {@link maskSlackBits} is below {@link MINIMUM_MASK_SLACK_BITS}. */
export function checkMaskSlack(parameters: Parameters): void {
  const slack = maskSlackBits(parameters);
  if (slack < MINIMUM_MASK_SLACK_BITS) {
    throw new HeError(
      'PARAMETERS_MASK_SLACK',
      `the range of the refresh mask is ${slack.toFixed(1)} bits above the largest coefficient, ${MINIMUM_MASK_SLACK_BITS} are needed`,
      {
        op: 'mask',
        level: parameters.refreshLevel,
        hint: 'Raise refreshLevel by one, use a larger first prime, or lower valueBits.',
      },
    );
  }
}

function lengthPrefixed(text: string): Uint8Array {
  const bytes = utf8ToBytes(text);
  const out = new Uint8Array(4 + bytes.length);
  new DataView(out.buffer).setUint32(0, bytes.length, true);
  out.set(bytes, 4);
  return out;
}

function keyStream(seed: MaskSeed, length: number): Uint8Array {
  if (seed.serverKey.length !== 32) {
    throw new HeError('MASK_MISMATCH', 'the mask key has not 32 bytes', { op: 'mask', hint: 'Draw 32 random bytes at server start.' });
  }
  for (const counter of [seed.segment, seed.index]) {
    if (Number.isInteger(counter) && counter >= 0 && counter < 2 ** 32) continue;
    throw new HeError('MASK_MISMATCH', 'segment or index is not a 32-bit counter', { op: 'mask', hint: 'Count both from 0.' });
  }
  const session = lengthPrefixed(seed.session);
  const info = new Uint8Array(session.length + 8);
  info.set(session);
  new DataView(info.buffer).setUint32(session.length, seed.segment, true);
  new DataView(info.buffer).setUint32(session.length + 4, seed.index, true);
  const key = hkdf(sha256, seed.serverKey, utf8ToBytes(DOMAIN), info, 32);
  // One key per mask, so the nonce may be constant.
  return chacha20(key, new Uint8Array(12), new Uint8Array(length));
}

/** A 32-byte name of the mask, for engines that only check that masking and unmasking agree. */
export function maskTag(seed: MaskSeed): Uint8Array {
  return keyStream(seed, 32);
}

/** The mask's integer coefficients, N of them, as limbs of 48 bits, least significant first: limbs[i][n]. */
export function sampleMask(parameters: Parameters, seed: MaskSeed): Float64Array[] {
  const degree = parameters.polyModulusDegree;
  const bits = maskBits(parameters);
  const limbCount = Math.ceil(bits / (8 * LIMB_BYTES));
  const stream = keyStream(seed, degree * limbCount * LIMB_BYTES);
  const view = new DataView(stream.buffer, stream.byteOffset, stream.length);
  return Array.from({ length: limbCount }, (_, limb) => {
    const range = Math.min(LIMB, 2 ** (bits - limb * 8 * LIMB_BYTES));
    const values = new Float64Array(degree);
    for (let n = 0; n < degree; n++) {
      const at = (n * limbCount + limb) * LIMB_BYTES;
      const value = view.getUint32(at, true) + view.getUint16(at + 4, true) * 2 ** 32;
      values[n] = value - Math.floor(value / range) * range;
    }
    return values;
  });
}

/** The mask modulo q_0..q_level, transformed (NTT form), ready to be added to the first polynomial of a ciphertext. */
export function maskResidues(parameters: Parameters, ring: Ring, seed: MaskSeed, level: number): Float64Array[] {
  const limbs = sampleMask(parameters, seed);
  return ring.primes.slice(0, level + 1).map((prime, index) => {
    const modulus = createModulus(prime);
    const residues = new Float64Array(ring.degree);
    limbs.forEach((limb, i) => {
      const weight = createFactor(Number(2n ** BigInt(8 * LIMB_BYTES * i) % prime), modulus);
      for (let n = 0; n < ring.degree; n++) {
        // Both indices are below the degree.
        const sum = (residues[n] as number) + multiplyByFactor(reduce(limb[n] as number, modulus), weight, modulus);
        residues[n] = sum >= modulus.value ? sum - modulus.value : sum;
      }
    });
    forwardNtt(residues, ring.tables(index));
    return residues;
  });
}
