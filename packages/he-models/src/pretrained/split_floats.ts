import { AssetError } from '../errors.js';
import { floatsAt } from './assets.js';

type Arrays<Sizes extends readonly number[]> = { readonly [Index in keyof Sizes]: Float32Array };

/** Consecutive little-endian float32 arrays of the given sizes. @throws AssetError if the file has another length */
export function splitFloats<const Sizes extends readonly number[]>(bytes: Uint8Array, sizes: Sizes, file: string): Arrays<Sizes> {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes.length !== 4 * total) {
    throw new AssetError(`The model's file ${file} has ${bytes.length} bytes where its configuration asks for ${4 * total}.`, { file });
  }
  let at = 0;
  const arrays = sizes.map((size) => {
    const array = floatsAt(bytes, at, size);
    at += size;
    return array;
  });
  return arrays as Arrays<Sizes>; // map keeps the length, which its type does not say
}
