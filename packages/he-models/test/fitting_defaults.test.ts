import { beforeAll, describe, expect, test } from '@jest/globals';
import * as tfl from '@tensorflow/tfjs-layers';
import { fittingDefaults } from '../src/train/fitting_defaults.js';
import { startWasm } from '../src/train/wasm.js';

/** Keeps inputs of `size` as they are, in so many products that it cannot do without refreshes, at which nothing is smaller. */
function keeping(size: number): tfl.LayersModel {
  const input = tfl.input({ shape: [1] });
  let kept: tfl.SymbolicTensor = input;
  for (let i = 0; i < 13; i += 1) {
    const kernelInitializer = tfl.initializers.constant({ value: 1 / size });
    const share = tfl.layers.dense({ units: 1, useBias: false, kernelInitializer }).apply(kept);
    kept = tfl.layers.multiply().apply([kept, share as tfl.SymbolicTensor]) as tfl.SymbolicTensor;
  }
  return tfl.model({ inputs: input, outputs: kept });
}

const parametersOf = async (size: number) => {
  const { defaults, plan } = await fittingDefaults(keeping(size), [Float32Array.of(0), Float32Array.of(size)], undefined);
  expect(plan.refreshes).toBeGreaterThan(0);
  return defaults.parameters;
};

describe('parameters that fit inputs', () => {
  beforeAll(startWasm);

  test('have room for values up to 2^6 where that does', async () => {
    expect(await parametersOf(50)).toMatchObject({ valueBits: 6, precisionBits: 12 });
  });

  test('have room for larger values where some input leads to them', async () => {
    expect(await parametersOf(200)).toMatchObject({ valueBits: 8, precisionBits: 12 });
  });

  test('have more precision, too, where values are much larger', async () => {
    expect(await parametersOf(5000)).toMatchObject({ valueBits: 14, precisionBits: 16 });
  });

  test('are refused where nothing has room', async () => {
    await expect(parametersOf(2 ** 35)).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringContaining('narrow intervals'),
    });
  });
});
