import type { Readable } from 'node:stream';
import { DemoError } from '../errors.js';

/** Refuses an upload by its declared size, before a byte is read. @throws DemoError KEYS_SIZE. */
export function checkDeclaredSize(contentLength: string | undefined, bytes: number): void {
  if (contentLength !== String(bytes)) throw wrongSize(contentLength ?? 'an unknown number of', bytes);
}

/**
 * Reads a stream of exactly `bytes` bytes into one buffer, so that keys of hundreds of megabytes are never held twice.
 * @throws DemoError KEYS_SIZE.
 */
export async function readExactly(stream: Readable, bytes: number): Promise<Uint8Array> {
  const out = new Uint8Array(bytes);
  let at = 0;
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array) || at + chunk.length > bytes) throw wrongSize(`more than ${at}`, bytes);
    out.set(chunk, at);
    at += chunk.length;
  }
  if (at !== bytes) throw wrongSize(String(at), bytes);
  return out;
}

function wrongSize(actual: string, expected: number): DemoError {
  return new DemoError('KEYS_SIZE', `the upload has ${actual} bytes where ${expected} are expected: send exactly the keys of the manifest`);
}
