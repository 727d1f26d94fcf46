import { beforeAll, describe, expect, test } from '@jest/globals';
import { startWasm } from '../src/train/wasm.js';
import { pipeline } from '../src/use/pipeline.js';
import { shippedConfig } from './shipped_models.js';

/** A made-up beat: waves of a height (ADC units), a place and a width (samples). */
const beat = (waves: readonly (readonly [height: number, place: number, width: number])[]): Float32Array =>
  Float32Array.from({ length: 128 }, (_, i) =>
    waves.reduce((sum, [height, place, width]) => sum + height * Math.exp(-(((i - place) / width) ** 2)), 0),
  );

describe('power-ecg', () => {
  beforeAll(startWasm);

  test('tells a narrow beat with P and T waves from a wide one that turns round', async () => {
    const classify = await pipeline('signal-classification', null, { fhe: 'disable' });
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
    const results = await classify([narrow, wide]);
    expect(results.map(([best]) => best?.label)).toEqual(['N', 'V']);
    classify.dispose();
  });

  test('holds what was promised: at most 1 point of macro F1 below softmax', async () => {
    const { macroF1 } = await shippedConfig('power-ecg');
    expect(macroF1.softmax - macroF1.polynomial).toBeLessThanOrEqual(0.01);
  });
});
