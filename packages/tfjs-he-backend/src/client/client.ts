import type { Ledger } from '../engines/ledger.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Manifest } from '../wire/manifest.js';

/** What encrypts: SEAL, or nothing at all, for servers of engine `mock`. */
export type ClientEngine = 'seal' | 'mock';

/** Progress of key generation: `done` of `total` keys exist. */
export type KeyProgress = (done: number, total: number) => void;

/** What a client accepts of a manifest, and how it makes ciphertexts. */
export interface ClientOptions {
  /** `seal` (default) for servers of engines `seal` and `simd`; `mock` for those of `mock`, without any secrecy. */
  readonly engine?: ClientEngine;
  /** Seed of the mock engine's noise; the seal engine takes its randomness from the system. */
  readonly seed?: number;
  /** Refuse manifests with less security (default 128; 0 is for tests). */
  readonly minimumSecurityBits?: 0 | 128 | 192 | 256;
  /** Refuse manifests whose evaluation keys are larger, in bytes of the upload (default 2 GiB): a server says how many keys it wants. */
  readonly maxKeyBytes?: number;
}

/** Holder of the secret key: the only one who can read. */
export interface Client {
  readonly manifest: Manifest;
  readonly parameters: Parameters;
  readonly ledger: Ledger;
  /**
   * Relinearisation key and the Galois keys of `manifest.galoisSteps`, no others, as one upload (wire form).
   * Yields to the event loop between keys. @throws HeError ABORTED.
   */
  evaluationKeys(onProgress?: KeyProgress, signal?: AbortSignal): Promise<Uint8Array>;
  /**
   * A public key, wire form: a fresh encryption of zero at the refresh level, another one at every call. A server that re-randomises makes encryptions
   * of zero from it.
   */
  publicKey(): Uint8Array;
  /**
   * Slot vectors (length = slots, finite) -> fresh ciphertexts at the top level, wire form.
   * @throws HeError ENCODE_INVALID (another length, values that are not finite or too large for the modulus), HANDLE_RELEASED after disposal.
   */
  encrypt(slotVectors: readonly Float64Array[]): Uint8Array[];
  /**
   * Raises ciphertexts from the refresh level to the top: decrypts, lifts the *integer* polynomial to the full modulus (no decode, no
   * encode), encrypts it afresh. The contents are masked by the server. @throws HeError WIRE_LEVEL when not at the refresh level.
   */
  refresh(ciphertexts: readonly Uint8Array[]): Uint8Array[];
  /**
   * Final ciphertexts (refresh level) -> slot vectors. Never send these values back: CKKS is not IND-CPA-D (Li and Micciancio, Eurocrypt 2021).
   * @throws HeError WIRE_*, HANDLE_RELEASED after disposal.
   */
  decrypt(ciphertexts: readonly Uint8Array[]): Float64Array[];
  /** Releases the secret key and everything else. */
  dispose(): void;
}
