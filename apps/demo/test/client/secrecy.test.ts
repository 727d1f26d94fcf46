import { afterAll, beforeAll, expect, test } from '@jest/globals';
// Internal modules of the package, by path: nothing that is public gives access to a secret key.
import { loadSealModule } from '../../../../packages/tfjs-he-backend/dist/seal/load.js';
import { packResidues } from '../../../../packages/tfjs-he-backend/dist/wire/residues.js';
import { ask } from '../../src/cli/ask.js';
import { recordingProxy } from '../support/recording_proxy.js';
import { runningApp } from '../support/running_app.js';
import { tinyClassifier, tinyProgram } from '../support/tiny_model.js';

const WINDOW = 32;
const N = 8192;

let sent: Buffer[];
let secretKey: Buffer;
let primes: readonly bigint[];
let restore = () => {};

/** Records one encrypted question from beginning to end, and the secret key that SEAL made for it. */
beforeAll(async () => {
  const seal = await loadSealModule();
  const original = seal.KeyGenerator.prototype.secretKey;
  seal.KeyGenerator.prototype.secretKey = function (this: unknown) {
    const key = original.call(this);
    secretKey = Buffer.from(key.saveToArray(seal.ComprModeType.none));
    return key;
  };
  restore = () => {
    seal.KeyGenerator.prototype.secretKey = original;
  };
  await using server = await runningApp('seal');
  await using proxy = await recordingProxy(server.url);
  const { signal } = new AbortController();
  await ask({
    classifier: tinyClassifier,
    question: 'hi',
    url: proxy.url,
    engine: 'seal',
    repeat: 1,
    signal,
    onEvent: () => {},
    serverMs: 0,
  });
  sent = proxy.sent();
  primes = (await tinyProgram()).parameters.coeffModulus;
});

afterAll(() => restore());

test('the recording holds the whole conversation', () => {
  const requests = sent.map((bytes) => bytes.toString('latin1', 0, bytes.indexOf('\r\n')).replace(/sessions\/[\w-]{22}/, 'sessions/ID'));
  expect(requests).toEqual([
    'GET /models/tiny HTTP/1.1',
    'POST /models/tiny/sessions HTTP/1.1',
    'GET /sessions/ID/run HTTP/1.1',
    'DELETE /sessions/ID HTTP/1.1',
  ]);
  // Key material of the expected kinds was sent, so the search below looks at the right bytes.
  expect(sent[1]!.includes('HEK1')).toBe(true);
  expect(sent[2]!.includes('HEW1')).toBe(true);
});

test('no byte sequence of the secret key leaves the client', () => {
  const words = secretKey.subarray(secretKey.length - 8 * N * primes.length);
  primes.forEach((prime, i) => {
    for (const start of [0, N / 2, N - WINDOW]) {
      const serialised = words.subarray(8 * (N * i + start), 8 * (N * i + start + WINDOW));
      const packed = packedAs(serialised, prime.toString(2).length);
      for (const bytes of sent) {
        expect(bytes.includes(serialised)).toBe(false);
        expect(bytes.includes(packed)).toBe(false);
      }
    }
  });
});

test('after the outputs nothing but the end of the conversation is sent', () => {
  // Inputs and one refresh are the only binary messages: a decryption never travels back.
  const run = sent[2]!;
  expect(run.toString('latin1').split('HED1')).toHaveLength(1 + 2);
  expect(sent[3]!.toString('latin1')).toMatch(/\r\n\r\n$/);
});

test('the search finds a secret key where there is one', () => {
  const words = secretKey.subarray(secretKey.length - 8 * N * primes.length);
  expect(secretKey.includes(words.subarray(0, 8 * WINDOW))).toBe(true);
});

/** The same residues as a frame of the wire format would hold them. */
function packedAs(words: Buffer, bits: number): Buffer {
  const residues = Float64Array.from({ length: WINDOW }, (_, i) => Number(words.readBigUInt64LE(8 * i)));
  const packed = Buffer.alloc((WINDOW * bits) / 8);
  packResidues(residues, bits, packed, 0);
  return packed;
}
