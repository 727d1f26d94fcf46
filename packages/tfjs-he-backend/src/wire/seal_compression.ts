import { HeError } from '../errors.js';
import { HEADER, malformed, NOT_COMPRESSED, readCompression, viewOf, writeHeader } from './seal_object.js';

const ZLIB = 1;
const ZSTD = 2;
/** The largest window that a zstd decoder should support (RFC 8878, section 3.1.1.1.2); SEAL compresses at level 3, which needs 2 MiB. */
const ZSTD_WINDOW_LOG = 23;

/**
 * An object that SEAL 4 saved with any compression, as it would be without: SEAL compresses all but the outermost header.
 * @param mostBytes of the result; whatever would exceed it is given up as soon as it does, without having taken more memory
 * @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_UNSUPPORTED (zstd where the runtime cannot undo it).
 */
export async function withoutCompression(bytes: Uint8Array, mostBytes: number): Promise<Uint8Array> {
  const mode = readCompression(bytes, 0, bytes.length, 'the object');
  if (mode === NOT_COMPRESSED) {
    if (bytes.length > mostBytes) throw tooLarge(mostBytes);
    return bytes;
  }
  if (mode !== ZLIB && mode !== ZSTD) throw malformed('unknown compression');
  const body = await (mode === ZLIB ? inflate : decompressZstd)(bytes.subarray(HEADER), mostBytes - HEADER);
  const out = new Uint8Array(HEADER + body.length);
  writeHeader(viewOf(out), 0, out.length);
  out.set(body, HEADER);
  return out;
}

function tooLarge(mostBytes: number): HeError {
  return malformed(`the object has more than the ${mostBytes} bytes that it can have`);
}

/** zlib's format, by the platform: Node and browsers alike. */
async function inflate(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream('deflate'));
  const reader = stream.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      size += next.value.length;
      if (size > most) throw tooLarge(most + HEADER);
      chunks.push(next.value);
    }
  } catch (error) {
    await reader.cancel().catch(() => {});
    throw error instanceof HeError ? error : malformed('the compressed data are damaged', error);
  }
  return joined(chunks, size);
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}

/** By Node, from 22.15 on. */
async function decompressZstd(bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const zlib = typeof process === 'undefined' ? undefined : process.getBuiltinModule?.('node:zlib');
  if (zlib === undefined || !('zstdDecompress' in zlib)) {
    throw new HeError('WIRE_UNSUPPORTED', 'this runtime cannot decompress zstd', {
      op: 'load',
      hint: 'Save with compr_mode_type zlib or none, or use Node 22.15 or later.',
    });
  }
  const params = { [zlib.constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG };
  return new Promise((resolve, reject) => {
    zlib.zstdDecompress(bytes, { maxOutputLength: most, params }, (error: NodeJS.ErrnoException | null, result) => {
      if (error === null) resolve(result);
      else reject(error.code === 'ERR_BUFFER_TOO_LARGE' ? tooLarge(most + HEADER) : malformed('the compressed data are damaged', error));
    });
  });
}
