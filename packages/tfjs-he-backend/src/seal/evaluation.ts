import type { MainModule } from 'node-seal';
import { loadSealModule } from './load.js';

/** The part of SEAL that a server may name: public arithmetic. No key generator, encryptor or decryptor. */
export type EvaluationSeal = Pick<
  MainModule,
  | 'Ciphertext'
  | 'CKKSEncoder'
  | 'ComprModeType'
  | 'EncryptionParameters'
  | 'Evaluator'
  | 'GaloisKeys'
  | 'Modulus'
  | 'Plaintext'
  | 'RelinKeys'
  | 'SEALContext'
  | 'SchemeType'
  | 'SecLevelType'
  | 'VectorModulus'
  | 'vecFromArrayModulus'
>;

/** @throws HeError RUNTIME_UNSUPPORTED. */
export function loadEvaluationSeal(): Promise<EvaluationSeal> {
  return loadSealModule();
}
