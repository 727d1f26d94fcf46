import type { Ciphertext, Plaintext } from 'node-seal';
import { Ledger } from '../engines/ledger.js';
import { HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import { createSealContext } from '../seal/context.js';
import { callSeal } from '../seal/errors.js';
import type { ParsedManifest } from '../wire/manifest.js';
import { readSealCiphertext, readSealPlaintext, writeSealPlaintext } from '../wire/seal_format.js';
import { createSealFrames } from '../wire/seal_frames.js';
import type { Client } from './client.js';
import { checkSlotVectors } from './common.js';
import { createRaise } from './raise.js';
import { makeEvaluationKeys } from './seal_evaluation_keys.js';
import { type ClientSeal, loadClientSeal } from './seal_module.js';
import { createSealScope } from './seal_scope.js';

/** A client whose keys, encryption and decryption are SEAL's. The secret key never leaves the WebAssembly module. */
export async function createSealClient(parsed: ParsedManifest): Promise<Client> {
  return (await createSealKeyHolder(parsed)).client;
}

/** A client, and its view into ciphertexts of the same WebAssembly module: for debugging in one process. */
export interface SealKeyHolder {
  readonly client: Client;
  /** Slot values of a ciphertext at any level and scale, of two or three polynomials. */
  inspect(ciphertext: Ciphertext): Float64Array;
}

/** @throws HeError RUNTIME_UNSUPPORTED, PARAMETERS_INSECURE, and those of SEAL. */
export async function createSealKeyHolder({ manifest, parameters }: ParsedManifest): Promise<SealKeyHolder> {
  const seal = await loadClientSeal();
  const { maxLevel, refreshLevel } = parameters;
  const none = seal.ComprModeType.none;
  const ledger = new Ledger();
  const frames = createSealFrames(parameters);
  const raise = await createRaise(parameters);

  const { context, generator, encryptor, decryptor, encoder, release } = createSealObjects(seal, parameters);
  ledger.acquire('context', 0);
  let disposed = false;

  const requireLive = (op: string): void => {
    if (disposed) throw new HeError('HANDLE_RELEASED', 'the client has been disposed of', { op, hint: 'Create a new client.' });
  };
  const { withPlaintext, withCiphertext } = createSealScope(seal, ledger);
  const encryptPlaintext = (plaintext: Plaintext): Uint8Array => {
    const serializable = encryptor.encryptSymmetricSerializable(plaintext);
    try {
      return frames.frameCiphertext(serializable.saveToArray(none), maxLevel, true);
    } finally {
      serializable.delete();
    }
  };
  const decryptTo = <T>(op: string, frame: Uint8Array, use: (plaintext: Plaintext) => T): T => {
    const bytes = frames.unframeCiphertext(frame, refreshLevel, false);
    return callSeal({ op, level: refreshLevel }, () =>
      withCiphertext((ciphertext) =>
        withPlaintext((plaintext) => {
          ciphertext.loadFromArray(context, bytes);
          decryptor.decrypt(ciphertext, plaintext);
          return use(plaintext);
        }),
      ),
    );
  };
  const refreshOne = (frame: Uint8Array): Uint8Array => {
    const low = decryptTo('refresh', frame, (plaintext) => readSealPlaintext(plaintext.saveToArray(none), frames.shape(refreshLevel)));
    const raised = writeSealPlaintext(frames.shape(maxLevel), parameters.levelScale(maxLevel), raise(low));
    return callSeal({ op: 'refresh', level: maxLevel }, () =>
      withPlaintext((plaintext) => {
        plaintext.loadFromArray(context, raised);
        return encryptPlaintext(plaintext);
      }),
    );
  };
  const encryptedZero = (): Uint8Array =>
    withPlaintext((plaintext) =>
      withCiphertext((ciphertext) => {
        encoder.encode(new Float64Array(parameters.slots), parameters.levelScale(maxLevel), plaintext);
        encryptor.encryptSymmetric(plaintext, ciphertext);
        return ciphertext.saveToArray(none);
      }),
    );

  const client: Client = {
    manifest,
    parameters,
    ledger,
    evaluationKeys(onProgress = () => {}, signal) {
      const live = () => requireLive('evaluationKeys');
      return makeEvaluationKeys(seal, { generator, frames, steps: manifest.galoisSteps, onProgress, signal, requireLive: live });
    },
    publicKey() {
      requireLive('publicKey');
      const bytes = callSeal({ op: 'create public key' }, encryptedZero);
      // An encryption of zero stays one when primes are dropped.
      const { scale, polynomials } = readSealCiphertext(bytes, frames.shape(maxLevel), 2, false);
      const low = polynomials.map((polynomial) => polynomial.slice(0, refreshLevel + 1));
      return frames.writeCiphertext({ scale, polynomials: low }, refreshLevel);
    },
    encrypt(slotVectors) {
      requireLive('encrypt');
      checkSlotVectors(slotVectors, parameters);
      const scale = parameters.levelScale(maxLevel);
      return slotVectors.map((values) =>
        callSeal({ op: 'encrypt', level: maxLevel, scale }, () =>
          withPlaintext((plaintext) => {
            encoder.encode(values, scale, plaintext);
            return encryptPlaintext(plaintext);
          }),
        ),
      );
    },
    refresh(ciphertexts) {
      requireLive('refresh');
      return ciphertexts.map(refreshOne);
    },
    decrypt(ciphertexts) {
      requireLive('decrypt');
      return ciphertexts.map((frame) => decryptTo('decrypt', frame, (plaintext): Float64Array => encoder.decodeFloat64(plaintext)));
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      release();
      ledger.release('context', 0);
    },
  };

  return {
    client,
    inspect(ciphertext) {
      requireLive('inspect');
      return callSeal({ op: 'inspect' }, () =>
        withPlaintext((plaintext): Float64Array => {
          decryptor.decrypt(ciphertext, plaintext);
          return encoder.decodeFloat64(plaintext);
        }),
      );
    },
  };
}

/** What lives as long as the client. The secret key stays inside of these objects. */
function createSealObjects(seal: ClientSeal, { polyModulusDegree, coeffModulus, securityBits }: Parameters) {
  const context = createSealContext(seal, polyModulusDegree, coeffModulus, { expandChain: true, securityBits });
  const generator = new seal.KeyGenerator(context);
  const secretKey = generator.secretKey();
  // The binding's Encryptor cannot be made without a public key; only symmetric encryption is used.
  const publicKey = generator.createPublicKey();
  const encryptor = new seal.Encryptor(context, publicKey, secretKey);
  publicKey.delete();
  const decryptor = new seal.Decryptor(context, secretKey);
  const encoder = new seal.CKKSEncoder(context);
  secretKey.delete();
  const release = (): void => {
    for (const object of [encoder, decryptor, encryptor, generator, context]) object.delete();
  };
  return { context, generator, encryptor, decryptor, encoder, release };
}
