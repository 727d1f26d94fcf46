import { beforeAll, describe, expect, test } from '@jest/globals';
import { startWasm } from '../src/train/wasm.js';
import { loadClearModel } from '../src/use/clear_model.js';
import { HeModelClient } from '../src/use/he_model_client.js';
import { HeModelServer } from '../src/use/he_model_server.js';
import { pipeline } from '../src/use/pipeline.js';
import { shippedConfig } from './shipped_models.js';

/** A made-up beat: waves of a height (ADC units), a place and a width (samples). */
const beat = (waves: readonly (readonly [height: number, place: number, width: number])[]): Float32Array =>
  Float32Array.from({ length: 128 }, (_, i) =>
    waves.reduce((sum, [height, place, width]) => sum + height * Math.exp(-(((i - place) / width) ** 2)), 0),
  );

const narrow = beat([
  [25, 20, 5],
  [220, 48, 3],
  [-40, 53, 3],
  [50, 95, 10],
]);
const wide = beat([
  [260, 50, 10],
  [-150, 90, 16],
]);
const SIMULATED = { fhe: 'simulate', seed: 1 } as const;

describe('power-ecg', () => {
  beforeAll(startWasm);

  test('tells a narrow beat with P and T waves from a wide one that turns round', async () => {
    const classify = await pipeline('signal-classification', null, { fhe: 'disable' });
    const results = await classify([narrow, wide]);
    expect(results.map(([best]) => best?.label)).toEqual(['N', 'V']);
    classify.dispose();
  });

  test('needs no refresh, and says in simulation what it says in the clear', async () => {
    const [client, server] = [
      await HeModelClient.from_pretrained('power-ecg'),
      await HeModelServer.from_pretrained('power-ecg', SIMULATED),
    ];
    expect(server.program.segments.length).toBe(1);
    const session = await server.openSession(await client.connect(server.manifest, SIMULATED));
    const refresh = async (): Promise<never> => Promise.reject(new Error('asked for a refresh'));
    const clear = await loadClearModel('power-ecg');
    for (const input of [narrow, wide]) {
      const { outputs } = await session.run(client.encrypt(input), { refresh });
      const expected = clear.logits(client.embed(input));
      client.decrypt(outputs).forEach((logit, i) => {
        expect(logit).toBeCloseTo(expected[i]!, 2);
      });
    }
    clear.dispose();
    client.dispose();
    server.dispose();
  });

  test('holds what was promised: at most 1 point of macro F1 below softmax', async () => {
    const { macroF1 } = await shippedConfig('power-ecg');
    expect(macroF1.softmax - macroF1.polynomial).toBeLessThanOrEqual(0.01);
  });
});
