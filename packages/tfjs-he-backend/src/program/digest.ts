import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { headerJson } from './header_json.js';
import type { Program } from './program.js';

const digests = new WeakMap<Program, string>();

/** SHA-256 over all of a program, weights included, in hexadecimal: tells programs apart, and is that of a program's file too. Computed once for each. */
export function programDigest(program: Program): string {
  let digest = digests.get(program);
  if (digest === undefined) {
    const hash = sha256.create();
    hash.update(utf8ToBytes(headerJson(program)));
    for (const { values } of program.constants) hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    digest = bytesToHex(hash.digest());
    digests.set(program, digest);
  }
  return digest;
}
