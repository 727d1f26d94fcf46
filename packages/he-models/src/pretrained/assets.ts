import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { AssetError } from '../errors.js';
import type { FileDigest } from './config.js';

/** File name to content in base64, as the build bundles a model. */
export type BundledFiles = Readonly<Record<string, string>>;

/** Content of a bundled file. @throws AssetError if it is missing or no base64 */
export function fileBytes(files: BundledFiles, name: string): Uint8Array<ArrayBuffer> {
  const content = files[name];
  if (content === undefined) throw new AssetError(`The model's file ${name} is missing: reinstall he-models.`, { file: name });
  try {
    return Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  } catch {
    throw new AssetError(`The model's file ${name} is damaged: reinstall he-models.`, { file: name });
  }
}

/** Content of a bundled file whose length and SHA-256 are as recorded. @throws AssetError otherwise */
export function verifiedBytes(files: BundledFiles, name: string, digests: Readonly<Record<string, FileDigest>>): Uint8Array<ArrayBuffer> {
  const bytes = fileBytes(files, name);
  const expected = digests[name];
  const actual = bytesToHex(sha256(bytes));
  if (expected === undefined || expected.bytes !== bytes.length || expected.sha256 !== actual) {
    throw new AssetError(`The model's file ${name} differs from its recorded digest: reinstall he-models.`, {
      file: name,
      expected: expected?.sha256 ?? 'none',
      actual,
    });
  }
  return bytes;
}

/**
 * Reads JSON as `T`. The shape is not checked: the bytes are this package's own, verified by digest or part of the code.
 */
export function parseJson<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** Reads little-endian float32 as `count` values at `offset` floats. */
export function floatsAt(bytes: Uint8Array, offset: number, count: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset * 4, count * 4);
  return Float32Array.from({ length: count }, (_, index) => view.getFloat32(index * 4, true));
}
