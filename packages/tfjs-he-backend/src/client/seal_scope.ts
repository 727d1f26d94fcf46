import type { Ciphertext, Plaintext } from 'node-seal';
import type { Ledger } from '../engines/ledger.js';
import type { ClientSeal } from './seal_module.js';

/** Objects of SEAL that live as long as a call: WebAssembly's are never collected, and `using` takes Symbol.dispose, which Firefox 131 and Safari 18.4 lack. */
export interface SealScope {
  withPlaintext<T>(use: (plaintext: Plaintext) => T): T;
  withCiphertext<T>(use: (ciphertext: Ciphertext) => T): T;
}

/** @param ledger counts what is alive */
export function createSealScope(seal: ClientSeal, ledger: Ledger): SealScope {
  const within = <O extends { delete(): void }, T>(kind: 'plaintext' | 'ciphertext', object: O, use: (object: O) => T): T => {
    ledger.acquire(kind, 0);
    try {
      return use(object);
    } finally {
      object.delete();
      ledger.release(kind, 0);
    }
  };
  return {
    withPlaintext: (use) => within('plaintext', new seal.Plaintext(), use),
    withCiphertext: (use) => within('ciphertext', new seal.Ciphertext(), use),
  };
}
