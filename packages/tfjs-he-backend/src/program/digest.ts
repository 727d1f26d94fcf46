import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Program } from './program.js';

const digests = new WeakMap<Program, string>();

/** SHA-256 over all of a program, weights included, in hexadecimal: tells programs apart. Computed once for each. */
export function programDigest(program: Program): string {
  let digest = digests.get(program);
  if (digest === undefined) {
    const hash = sha256.create();
    const { constants, parameters, ...rest } = program;
    hash.update(utf8ToBytes(JSON.stringify({ ...rest, parameters: { ...parameters, coeffModulus: parameters.coeffModulus.map(String) } })));
    for (const { values, shift, level, scale } of constants) {
      hash.update(utf8ToBytes(JSON.stringify([values.length, shift, level, scale])));
      hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    digest = bytesToHex(hash.digest());
    digests.set(program, digest);
  }
  return digest;
}
