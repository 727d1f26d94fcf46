import type { Ciphertext, CKKSEncoder, Evaluator, GaloisKeys, ParmsIdType, Plaintext, RelinKeys, SEALContext } from 'node-seal';
import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { createRing, type Ring } from '../ring/ring.js';
import { createSealContext } from '../seal/context.js';
import { callSeal } from '../seal/errors.js';
import { type EvaluationSeal, loadEvaluationSeal } from '../seal/evaluation.js';
import type { EvaluationKeyFrames } from '../wire/evaluation_keys.js';
import { type KeyReader, readKeyFrames } from '../wire/key_reader.js';
import { createSealFrames, galoisIndexOf, type SealFrames } from '../wire/seal_frames.js';
import { writeSealKeys } from '../wire/seal_key_format.js';
import { Ledger } from './ledger.js';
import { contextBytes, encoderBytes, keyBytes } from './memory.js';

/** One client's evaluation keys, loaded. */
export interface SealKeys {
  readonly relinearization: RelinKeys;
  readonly galois: ReadonlyMap<number, GaloisKeys>;
}

/** What all clients of a program share: context, encoders, evaluator. Slow to make (a second at N=16384), so made once. */
export interface SealRuntime {
  readonly parameters: Parameters;
  readonly ledger: Ledger;
  readonly seal: EvaluationSeal;
  readonly context: SEALContext;
  readonly evaluator: Evaluator;
  readonly frames: SealFrames;
  readonly ring: Ring;
  /** Scratch for products that are added at once. */
  readonly scratch: Ciphertext;
  parmsId(level: number): ParmsIdType;
  encoder(level: number): CKKSEncoder;
  loadKeys(keys: EvaluationKeyFrames | KeyReader): SealKeys;
  releaseKeys(keys: SealKeys): void;
  loadPlaintext(bytes: Uint8Array): Plaintext;
  dispose(): void;
}

function levelParmsIds(context: SEALContext, maxLevel: number): ParmsIdType[] {
  const ids: ParmsIdType[] = [];
  let data = context.firstContextData();
  for (let level = maxLevel; level >= 0; level--) {
    ids[level] = data.parmsId();
    const next = level > 0 ? data.nextContextData() : undefined;
    data.delete();
    if (next === undefined) break;
    data = next;
  }
  return ids;
}

/**
 * @throws HeError RUNTIME_UNSUPPORTED, PARAMETERS_INVALID.
 */
export async function createSealRuntime(parameters: Parameters): Promise<SealRuntime> {
  const seal = await loadEvaluationSeal();
  const { polyModulusDegree, coeffModulus, dataPrimes, specialPrime, securityBits, maxLevel } = parameters;
  const ledger = new Ledger();
  const context = createSealContext(seal, polyModulusDegree, coeffModulus, { expandChain: true, securityBits });
  const evaluator = new seal.Evaluator(context);
  const scratch = new seal.Ciphertext();
  const parmsIds = levelParmsIds(context, maxLevel);
  const ownBytes = contextBytes(polyModulusDegree, coeffModulus.length, true);
  const levelBytes = (level: number) => contextBytes(polyModulusDegree, level + 2, false) + encoderBytes(polyModulusDegree);
  ledger.acquire('context', ownBytes);

  // SEAL encodes for the first level of a context only. The first level of a context over q_0..q_level and the special prime has the same
  // identifier as that level of the full chain, so its encoder makes plaintexts for the level directly instead of for all primes.
  const encoders = new Map<number, { context: SEALContext; encoder: CKKSEncoder }>();
  const makeEncoder = (level: number) =>
    callSeal({ op: 'encode', level }, () => {
      const small = createSealContext(seal, polyModulusDegree, [...dataPrimes.slice(0, level + 1), specialPrime], {
        expandChain: false,
        securityBits,
      });
      return { context: small, encoder: new seal.CKKSEncoder(small) };
    });

  const frames = createSealFrames(parameters);
  const loadKeys = (keys: EvaluationKeyFrames | KeyReader): SealKeys => {
    const reader = 'steps' in keys ? keys : readKeyFrames(frames, keys);
    const galois = new Map<number, GaloisKeys>();
    const relinearization = new seal.RelinKeys();
    try {
      // The loader gets what our writer has written, whatever came.
      const bytes = writeSealKeys(frames.keyShape, 0, reader.relinearization());
      callSeal({ op: 'load keys' }, () => relinearization.loadFromArray(context, bytes));
      for (const step of reader.steps) {
        const key = new seal.GaloisKeys();
        galois.set(step, key);
        const serialised = writeSealKeys(frames.keyShape, galoisIndexOf(step, polyModulusDegree), reader.galois(step));
        callSeal({ op: 'load keys' }, () => key.loadFromArray(context, serialised));
      }
    } catch (error) {
      relinearization.delete();
      for (const key of galois.values()) key.delete();
      throw error;
    }
    for (let i = 0; i <= galois.size; i++) ledger.acquire('key', keyBytes(parameters));
    return { relinearization, galois };
  };

  return {
    parameters,
    ledger,
    seal,
    context,
    evaluator,
    frames,
    ring: createRing(parameters),
    scratch,
    parmsId(level) {
      const id = parmsIds[level];
      if (id === undefined)
        throw new HeError('LEVEL_OUT_OF_RANGE', `no level ${level}`, { level, hint: 'Levels count down from maxLevel to 0.' });
      return id;
    },
    encoder(level) {
      const known = encoders.get(level);
      if (known !== undefined) return known.encoder;
      const made = makeEncoder(level);
      encoders.set(level, made);
      ledger.acquire('context', levelBytes(level));
      return made.encoder;
    },
    loadKeys,
    releaseKeys(keys) {
      keys.relinearization.delete();
      for (const key of keys.galois.values()) key.delete();
      for (let i = 0; i <= keys.galois.size; i++) ledger.release('key', keyBytes(parameters));
    },
    loadPlaintext(bytes) {
      const plaintext = new seal.Plaintext();
      try {
        callSeal({ op: 'load plaintext' }, () => plaintext.loadFromArray(context, bytes));
        return plaintext;
      } catch (error) {
        plaintext.delete();
        throw error;
      }
    },
    dispose() {
      for (const [level, made] of encoders) {
        made.encoder.delete();
        made.context.delete();
        ledger.release('context', levelBytes(level));
      }
      encoders.clear();
      for (const id of parmsIds) id.delete();
      scratch.delete();
      evaluator.delete();
      context.delete();
      ledger.release('context', ownBytes);
    },
  };
}
