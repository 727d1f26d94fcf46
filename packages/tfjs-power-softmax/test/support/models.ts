import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, type EncoderBlockArgs } from '../../src/index.js';
import { normal } from './reference.js';

export const TOKENS = 6;
export const FEATURES = 8;

export const BLOCK: EncoderBlockArgs = {
  name: 'block_0',
  numHeads: 2,
  keyDim: 4,
  hiddenDim: 12,
  epsilon: 0.5,
  normEpsilon: 0.3,
  seed: 7,
};

/** Encoder block, mean over tokens, three logits; with `masked` a second input for the padding mask. */
export function classifier(args: Partial<EncoderBlockArgs> = {}, masked = false): tfl.LayersModel {
  const x = tfl.input({ shape: [TOKENS, FEATURES], name: 'embedded' });
  const mask = tfl.input({ shape: [TOKENS], name: 'mask' });
  const encoded = new EncoderBlock({ ...BLOCK, ...args }).apply(masked ? [x, mask] : x) as tfl.SymbolicTensor;
  const pooled = tfl.layers.globalAveragePooling1d({ name: 'pool' }).apply(encoded) as tfl.SymbolicTensor;
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 3 });
  const logits = tfl.layers.dense({ name: 'logits', units: 3, kernelInitializer }).apply(pooled) as tfl.SymbolicTensor;
  return tfl.model({ inputs: masked ? [x, mask] : x, outputs: logits });
}

/** Examples `[count, TOKENS, FEATURES]` of which example i has `2 + i % (TOKENS - 1)` tokens and zero rows after them, and their masks. */
export function paddedExamples(count: number, seed: number): { x: tf.Tensor; mask: tf.Tensor } {
  const lengths = Array.from({ length: count }, (_, i) => 2 + (i % (TOKENS - 1)));
  const mask = tf.tensor2d(lengths.map((length) => Array.from({ length: TOKENS }, (_, t) => (t < length ? 1 : 0))));
  return { x: tf.mul(normal([count, TOKENS, FEATURES], seed, 0.5), tf.reshape(mask, [count, TOKENS, 1])), mask };
}

/** Saves a model and loads it again, without custom objects. */
export async function roundTrip(model: tfl.LayersModel): Promise<tfl.LayersModel> {
  let artifacts: tf.io.ModelArtifacts | undefined;
  await model.save(
    tf.io.withSaveHandler(async (saved) => {
      artifacts = saved;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  // Through JSON text, as a file would go.
  const topology: unknown = JSON.parse(JSON.stringify(artifacts!.modelTopology));
  return tfl.loadLayersModel(tf.io.fromMemory({ ...artifacts!, modelTopology: topology as object }));
}
