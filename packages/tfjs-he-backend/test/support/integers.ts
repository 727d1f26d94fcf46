import type { Ciphertext, Decryptor, MainModule, SEALContext } from 'node-seal';
import type { Client } from '../../src/client/client.js';
import { createClient } from '../../src/client/create_client.js';
import type { Parameters } from '../../src/parameters/parameters.js';
import { inverseNtt } from '../../src/ring/ntt.js';
import { createRing } from '../../src/ring/ring.js';
import { createSealContext } from '../../src/seal/context.js';
import { loadSealModule } from '../../src/seal/load.js';
import type { Manifest } from '../../src/wire/manifest.js';
import { readSealPlaintext } from '../../src/wire/seal_format.js';
import { createSealFrames } from '../../src/wire/seal_frames.js';

/** Residues in NTT form, q_0..q_level -> integer coefficients in (-Q/2, Q/2). */
export function integersOf(parameters: Parameters, residues: readonly Float64Array[]): bigint[] {
  const ring = createRing(parameters);
  const primes = ring.primes.slice(0, residues.length);
  const q = primes.reduce((product, prime) => product * prime, 1n);
  const coefficients = residues.map((values, i) => {
    const copy = values.slice();
    inverseNtt(copy, ring.tables(i));
    return copy;
  });
  // Chinese remainders: sum of residue * (Q / q_i) * ((Q / q_i)^-1 mod q_i).
  const weights = primes.map((prime) => {
    const cofactor = q / prime;
    let inverse = 1n;
    for (let e = prime - 2n, square = cofactor % prime; e > 0n; e >>= 1n, square = (square * square) % prime) {
      if (e & 1n) inverse = (inverse * square) % prime;
    }
    return cofactor * inverse;
  });
  return Array.from({ length: ring.degree }, (_, n) => {
    const x = weights.reduce((sum, weight, i) => sum + BigInt(coefficients[i]![n]!) * weight, 0n) % q;
    return x > q / 2n ? x - q : x;
  });
}

/** A SEAL client, and what only its owner could see: the integer polynomials inside its ciphertexts. */
export async function openTransparentClient(manifest: Manifest, parameters: Parameters) {
  const seal: MainModule = await loadSealModule();
  const original = seal.KeyGenerator.prototype.secretKey;
  let secret = new Uint8Array(0);
  seal.KeyGenerator.prototype.secretKey = function (this: unknown) {
    const key = original.call(this);
    secret = key.saveToArray(seal.ComprModeType.none);
    return key;
  };
  let client: Client;
  try {
    client = await createClient(manifest, { engine: 'seal', minimumSecurityBits: 0 });
  } finally {
    seal.KeyGenerator.prototype.secretKey = original;
  }
  const context: SEALContext = createSealContext(seal, parameters.polyModulusDegree, parameters.coeffModulus, {
    expandChain: true,
    securityBits: parameters.securityBits,
  });
  const key = new seal.SecretKey();
  key.loadFromArray(context, secret);
  const decryptor: Decryptor = new seal.Decryptor(context, key);
  const frames = createSealFrames(parameters);
  return {
    client,
    /** Coefficients of the decryption of a SEAL ciphertext at `level`. */
    integers(ciphertext: Ciphertext, level: number): bigint[] {
      const plaintext = new seal.Plaintext();
      decryptor.decrypt(ciphertext, plaintext);
      const residues = readSealPlaintext(plaintext.saveToArray(seal.ComprModeType.none), frames.shape(level));
      plaintext.delete();
      return integersOf(parameters, residues);
    },
    dispose() {
      decryptor.delete();
      key.delete();
      context.delete();
      client.dispose();
    },
  };
}
