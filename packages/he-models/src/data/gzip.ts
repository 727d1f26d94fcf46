import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../errors.js';

/** Content of a gzip file in the first of `folders` that has it. @throws DataError where none has, or the file is no gzip */
export async function readGzip(folders: readonly string[], name: string): Promise<Uint8Array> {
  for (const folder of folders) {
    const path = join(folder, name);
    const packed = await readFile(path).catch((error: unknown) => {
      if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (packed === undefined) continue;
    try {
      return gunzipSync(packed);
    } catch {
      throw new DataError(`${path} is no complete gzip file: download it again.`, { path });
    }
  }
  throw new DataError(`No ${name} in ${folders.join(' or ')}: see the README for what the data folder holds.`, { folders });
}
