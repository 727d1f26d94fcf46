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

/** Hexadecimal SHA-256. */
export function sha256Of(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/** @throws AssetError unless length and SHA-256 are as recorded */
export function requireDigest(bytes: Uint8Array, name: string, expected: FileDigest): void {
  const actual = sha256Of(bytes);
  if (expected.bytes === bytes.length && expected.sha256 === actual) return;
  const what =
    bytes.length < expected.bytes ? `is cut off after ${bytes.length} of ${expected.bytes} bytes` : 'differs from its recorded digest';
  throw new AssetError(`The model's file ${name} ${what}: get the model again.`, { file: name, expected: expected.sha256, actual });
}

/**
 * Reads JSON as `T`. The shape is not checked: give `unknown` for bytes of others.
 *
 * @throws AssetError if it is no JSON
 */
export function parseJson<T>(bytes: Uint8Array, name = 'a file'): T {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new AssetError(`The model's file ${name} is no JSON: get the model again.`, { file: name });
  }
}

/** Reads little-endian float32 as `count` values at `offset` floats. */
export function floatsAt(bytes: Uint8Array, offset: number, count: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset * 4, count * 4);
  return Float32Array.from({ length: count }, (_, index) => view.getFloat32(index * 4, true));
}
