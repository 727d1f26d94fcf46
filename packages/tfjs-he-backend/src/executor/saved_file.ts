import { HeError } from '../errors.js';
import { programDigest } from '../program/digest.js';
import type { Program } from '../program/program.js';
import { createJsonReader, type JsonReader } from '../wire/json.js';

/** What saved ciphertexts go on with: these are written with them, and must be the same where they are read. */
export interface Origin {
  readonly program: Program;
  /** Names the evaluation keys of the session. */
  readonly keys: string;
}

/** Reads one kind of file that a server has saved; every field with `json`. */
export interface SavedReader {
  readonly json: JsonReader;
  /**
   * The JSON part, whose `program` and `keys` are those of `origin`, and the bytes after it.
   * @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH.
   */
  open(bytes: Uint8Array, origin: Origin): { readonly header: Record<string, unknown>; readonly body: Uint8Array };
  /** Views of parts that fill the body exactly. @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED. */
  cut(body: Uint8Array, sizes: readonly number[]): Uint8Array[];
}

const PREFIX = 8;
const MAX_HEADER = 1 << 22;

/**
 * A file of what a server keeps: `magic` (four ASCII characters), length of the JSON part (u32, little-endian), JSON, then `parts`, whose lengths are for the JSON to say.
 * The JSON is `header` and what tells the origin.
 */
export function writeSaved(magic: string, { program, keys }: Origin, header: object, parts: readonly Uint8Array[]): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify({ program: programDigest(program), keys, ...header }));
  const out = new Uint8Array(parts.reduce((size, part) => size + part.length, PREFIX + json.length));
  out.set(new TextEncoder().encode(magic));
  new DataView(out.buffer).setUint32(4, json.length, true);
  out.set(json, PREFIX);
  let at = PREFIX + json.length;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** @param what for messages: 'run', 'sequence'; @param hint what to do when it cannot be read. */
export function savedReader(magic: string, what: string, hint: string): SavedReader {
  const refuse = (code: 'WIRE_TRUNCATED' | 'WIRE_MALFORMED' | 'WIRE_PARAMETERS_MISMATCH', why: string): HeError =>
    new HeError(code, `the saved ${what} cannot be restored: ${why}`, { op: 'restore', hint });
  const json = createJsonReader((why) => refuse('WIRE_MALFORMED', why));
  const parse = (bytes: Uint8Array): unknown => {
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch {
      return json.fail('the header is not JSON');
    }
  };
  return {
    json,
    open(bytes, { program, keys }) {
      if (bytes.length < PREFIX) throw refuse('WIRE_TRUNCATED', 'there is no header');
      if (new TextDecoder().decode(bytes.subarray(0, 4)) !== magic) throw refuse('WIRE_MALFORMED', `not a saved ${what} of this version`);
      const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4, true);
      if (length > MAX_HEADER) throw refuse('WIRE_MALFORMED', 'the header is too large');
      if (PREFIX + length > bytes.length) throw refuse('WIRE_TRUNCATED', 'the header is cut off');
      const header = json.record(parse(bytes.subarray(PREFIX, PREFIX + length)), 'the header');
      if (header.program !== programDigest(program)) throw refuse('WIRE_PARAMETERS_MISMATCH', `it is a ${what} of another program`);
      if (header.keys !== keys) throw refuse('WIRE_PARAMETERS_MISMATCH', `it is a ${what} under other evaluation keys`);
      return { header, body: bytes.subarray(PREFIX + length) };
    },
    cut(body, sizes) {
      const total = sizes.reduce((sum, size) => sum + size, 0);
      if (total > body.length) throw refuse('WIRE_TRUNCATED', 'ciphertexts are cut off');
      if (total < body.length) throw refuse('WIRE_MALFORMED', 'bytes follow the end');
      let end = 0;
      return sizes.map((size) => {
        end += size;
        return body.subarray(end - size, end);
      });
    },
  };
}
