import { describe, expect, test } from '@jest/globals';
import { createClient } from '../../src/client/create_client.js';
import { evaluationKeysBytes } from '../../src/wire/evaluation_keys.js';
import { galoisSteps, manifestFor, parameters } from '../conformance/session.js';

const manifest = manifestFor(parameters);

describe.each(['mock', 'seal'] as const)('%s client', (engine) => {
  const open = () => createClient(manifest, { engine, minimumSecurityBits: 0 });

  test('makes exactly the keys of the manifest and reports each', async () => {
    const client = await open();
    const progress: [number, number][] = [];
    const keys = await client.evaluationKeys((done, total) => progress.push([done, total]));
    expect(keys.length).toBe(evaluationKeysBytes(engine, parameters, galoisSteps));
    const total = galoisSteps.length + 1;
    expect(progress).toEqual(Array.from({ length: total }, (_, i) => [i + 1, total]));
    client.dispose();
  });

  test('key generation can be aborted', async () => {
    const client = await open();
    const controller = new AbortController();
    const keys = client.evaluationKeys(() => controller.abort(), controller.signal);
    await expect(keys).rejects.toMatchObject({ code: 'ABORTED' });
    client.dispose();
  });

  test('refuses vectors that are not finite or not one value per slot', async () => {
    const client = await open();
    const withOne = (value: number) => new Float64Array(parameters.slots).fill(value, 5, 6);
    const notFinite = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(withOne);
    for (const vector of [...notFinite, new Float64Array(3)]) {
      expect(() => client.encrypt([vector])).toThrow(expect.objectContaining({ code: 'ENCODE_INVALID' }));
    }
    client.dispose();
  });

  test('two encryptions of the same values differ', async () => {
    const client = await open();
    const [a, b] = client.encrypt([new Float64Array(parameters.slots), new Float64Array(parameters.slots)]);
    expect(Buffer.compare(Buffer.from(a!), Buffer.from(b!))).not.toBe(0);
    client.dispose();
  });
});

test('an insecure manifest is refused unless asked for', async () => {
  await expect(createClient(manifest, { engine: 'mock' })).rejects.toMatchObject({ code: 'PARAMETERS_INSECURE' });
});

test('a disposed client says so', async () => {
  const client = await createClient(manifest, { engine: 'seal', minimumSecurityBits: 0 });
  client.dispose();
  expect(() => client.encrypt([])).toThrow(expect.objectContaining({ code: 'HANDLE_RELEASED' }));
});
