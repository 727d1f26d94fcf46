import type { Ciphertext, Plaintext, RelinKeys } from 'node-seal';
import { CONJUGATION } from '../ring/galois.js';
import { checkMaskSlack, type MaskSeed, maskResidues } from '../ring/mask.js';
import { callSeal } from '../seal/errors.js';
import type { EvaluationKeyFrames } from '../wire/evaluation_keys.js';
import { claimsFresh } from '../wire/frames.js';
import type { KeyReader } from '../wire/key_reader.js';
import { writeSealPlaintext } from '../wire/seal_format.js';
import type { Arithmetic, OpObserver, Target } from './arithmetic.js';
import { createCheckedEngine } from './checked_engine.js';
import type { Engine } from './engine.js';
import type { CiphertextHandle, PlaintextHandle } from './handles.js';
import { missingRelinearizationKey } from './rules.js';
import type { SealKeys, SealRuntime } from './seal_runtime.js';

export type SealCiphertext = CiphertextHandle<Ciphertext>;
export type SealPlaintext = PlaintextHandle<Plaintext>;

/**
 * SEAL's evaluator under one client's keys (none: no rotations and products of ciphertexts). Plaintexts may be shared between engines of
 * one runtime. close() releases the keys.
 * @throws HeError WIRE_* when a key frame is not valid.
 */
export function createSealEngine(
  runtime: SealRuntime,
  keys: EvaluationKeyFrames | KeyReader | undefined,
  observe?: OpObserver,
): Engine<SealCiphertext, SealPlaintext> {
  const loaded = keys === undefined ? undefined : runtime.loadKeys(keys);
  return createCheckedEngine(runtime.parameters, sealArithmetic(runtime, loaded), runtime.ledger, observe);
}

function requireRelinearization(keys: SealKeys | undefined, to: Target): RelinKeys {
  if (keys !== undefined) return keys.relinearization;
  throw missingRelinearizationKey(to);
}

function sealArithmetic(runtime: SealRuntime, keys: SealKeys | undefined): Arithmetic<Ciphertext, Plaintext> {
  const { parameters, seal, context, evaluator, frames, scratch } = runtime;
  const { polyModulusDegree: degree } = parameters;

  const call = (op: string, to: Target, operation: () => void): void => callSeal({ op, level: to.level, scale: to.scale }, operation);
  /** Runs an operation on `a`, which then has exactly the scale that the program's ladder says. */
  const change = (op: string, a: Ciphertext, to: Target, operation: () => void): void =>
    call(op, to, () => {
      operation();
      a.setScale(to.scale);
    });
  /** Sums: SEAL wants equal scales to the last bit, the ladder gives them up to rounding. */
  const sum = (op: string, acc: Ciphertext, b: Ciphertext | Plaintext, to: Target, operation: () => void): void =>
    change(op, acc, to, () => {
      acc.setScale(to.scale);
      b.setScale(to.scale);
      operation();
    });
  const withMask = (seed: MaskSeed, to: Target, use: (mask: Plaintext) => void): void => {
    checkMaskSlack(parameters);
    const residues = maskResidues(parameters, runtime.ring, seed, to.level);
    const mask = runtime.loadPlaintext(writeSealPlaintext(frames.shape(to.level), to.scale, residues));
    try {
      use(mask);
    } finally {
      mask.delete();
    }
  };

  /** For bytes that our own code has written. */
  const nativeLoad = (serialised: Uint8Array, to: Target): Ciphertext => {
    const ciphertext = new seal.Ciphertext();
    try {
      call('load', to, () => ciphertext.loadFromArray(context, serialised));
      return ciphertext;
    } catch (error) {
      ciphertext.delete();
      throw error;
    }
  };

  return {
    name: 'seal',
    ciphertextBytes: (level, size) => 8 * degree * (level + 1) * size,
    plaintextBytes: (level) => 8 * degree * (level + 1),
    encode(values, level, scale) {
      const encoder = runtime.encoder(level);
      const plaintext = new seal.Plaintext();
      try {
        callSeal({ op: 'encode', level, scale }, () => encoder.encode(values, scale, plaintext));
        return plaintext;
      } catch (error) {
        plaintext.delete();
        throw error;
      }
    },
    clone: (a) => callSeal({ op: 'clone' }, () => a.copy()),
    add: (acc, b, to) => sum('add', acc, b, to, () => evaluator.addInplace(acc, b)),
    sub: (acc, b, to) => sum('sub', acc, b, to, () => evaluator.subInplace(acc, b)),
    negate: (a, to) => change('negate', a, to, () => evaluator.negateInplace(a)),
    addPlain: (acc, p, to) => sum('addPlain', acc, p, to, () => evaluator.addPlainInplace(acc, p)),
    multiplyPlain: (a, p, to) => change('multiplyPlain', a, to, () => evaluator.multiplyPlainInplace(a, p)),
    accumulateProductPlain(acc, a, p, to) {
      change('multiplyPlain', scratch, to, () => evaluator.multiplyPlain(a, p, scratch));
      sum('add', acc, scratch, to, () => evaluator.addInplace(acc, scratch));
    },
    multiply: (a, b, to) => change('multiply', a, to, () => evaluator.multiplyInplace(a, b)),
    square: (a, to) => change('square', a, to, () => evaluator.squareInplace(a)),
    relinearize: (a, to) => change('relinearize', a, to, () => evaluator.relinearizeInplace(a, requireRelinearization(keys, to))),
    rescale: (a, to) => change('rescale', a, to, () => evaluator.rescaleToNextInplace(a)),
    modSwitch: (a, to) => change('modSwitchTo', a, to, () => evaluator.cipherModSwitchToInplace(a, runtime.parmsId(to.level))),
    hasGaloisKey: (steps) => keys?.galois.has(steps) ?? false,
    rotate(a, steps, to) {
      const key = keys?.galois.get(steps);
      if (key !== undefined) change('rotate', a, to, () => evaluator.rotateVectorInplace(a, steps, key));
    },
    conjugate(a, to) {
      const key = keys?.galois.get(CONJUGATION);
      if (key !== undefined) change('conjugate', a, to, () => evaluator.complexConjugateInplace(a, key));
    },
    addMask: (a, seed, to) => withMask(seed, to, (mask) => change('mask', a, to, () => evaluator.addPlainInplace(a, mask))),
    subtractMask: (a, seed, to) => withMask(seed, to, (mask) => change('unmask', a, to, () => evaluator.subPlainInplace(a, mask))),
    load(bytes, to) {
      const seeded = to.level === parameters.maxLevel && claimsFresh(bytes);
      return nativeLoad(frames.unframeCiphertext(bytes, to.level, seeded), to);
    },
    // Between our own threads: SEAL's bytes as SEAL wrote them.
    toBytes: (a) => callSeal({ op: 'toPortable' }, (): Uint8Array => a.saveToArray(seal.ComprModeType.none)),
    fromBytes: nativeLoad,
    save: (a, to) => frames.frameCiphertext(a.saveToArray(seal.ComprModeType.none), to.level, false),
    free: (a) => a.delete(),
    freePlain: (p) => p.delete(),
    close() {
      if (keys !== undefined) runtime.releaseKeys(keys);
    },
  };
}
