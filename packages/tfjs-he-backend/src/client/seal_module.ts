import type { MainModule } from 'node-seal';
import { loadSealModule } from '../seal/load.js';

/** The part of SEAL that only the holder of the secret key may name. Nothing outside src/client imports this file. */
export type ClientSeal = Pick<
  MainModule,
  | 'Ciphertext'
  | 'CKKSEncoder'
  | 'ComprModeType'
  | 'Decryptor'
  | 'EncryptionParameters'
  | 'Encryptor'
  | 'KeyGenerator'
  | 'Modulus'
  | 'Plaintext'
  | 'SEALContext'
  | 'SchemeType'
  | 'SecLevelType'
  | 'VectorModulus'
  | 'vecFromArrayModulus'
>;

/** @throws HeError RUNTIME_UNSUPPORTED. */
export function loadClientSeal(): Promise<ClientSeal> {
  return loadSealModule();
}
