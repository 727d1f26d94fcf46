import { expect, test } from '@jest/globals';
import { createClient } from '../../src/client/create_client.js';
import { loadSealModule } from '../../src/seal/load.js';
import { packResidues } from '../../src/wire/residues.js';
import { manifestFor, openSession, parameters } from '../conformance/session.js';

test('no byte the client gives out belongs to its secret key', async () => {
  const seal = await loadSealModule();
  const low = await lowCiphertext();
  const original = seal.KeyGenerator.prototype.secretKey;
  let secret = new Uint8Array(0);
  seal.KeyGenerator.prototype.secretKey = function (this: unknown) {
    const key = original.call(this);
    secret = key.saveToArray(seal.ComprModeType.none);
    return key;
  };
  try {
    const client = await createClient(manifestFor(parameters), { engine: 'seal', minimumSecurityBits: 0 });
    const words = secret.subarray(secret.length - 8 * parameters.polyModulusDegree * parameters.coeffModulus.length);
    const sent = [
      await client.evaluationKeys(),
      ...client.encrypt([new Float64Array(parameters.slots).fill(1)]),
      ...client.refresh([low]),
      client.publicKey(),
    ].map((bytes) => Buffer.from(bytes));

    // Any 32 consecutive coefficients at each prime, as SEAL stores them and as our frames would.
    parameters.coeffModulus.forEach((prime, i) => {
      const view = new DataView(words.buffer, words.byteOffset + 8 * parameters.polyModulusDegree * i);
      for (const start of [0, 1024]) {
        const serialised = Buffer.from(words.buffer, words.byteOffset + 8 * (parameters.polyModulusDegree * i + start), 256);
        const residues = Float64Array.from({ length: 32 }, (_, n) => Number(view.getBigUint64(8 * (start + n), true)));
        const bits = prime.toString(2).length;
        const packed = Buffer.alloc(4 * bits);
        packResidues(residues, bits, packed, 0);
        for (const bytes of sent) {
          expect(bytes.includes(serialised)).toBe(false);
          expect(bytes.includes(packed)).toBe(false);
        }
      }
    });
    // The search finds what it looks for where it is.
    expect(Buffer.from(secret).includes(Buffer.from(words.slice(0, 256)))).toBe(true);
    client.dispose();
  } finally {
    seal.KeyGenerator.prototype.secretKey = original;
  }
});

async function lowCiphertext(): Promise<Uint8Array> {
  const session = await openSession('seal');
  const c = session.engine.modSwitchTo(session.encrypt(new Float64Array(parameters.slots)), parameters.refreshLevel);
  const bytes = session.engine.save(c);
  session.close();
  return bytes;
}
