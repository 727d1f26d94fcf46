import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock, FeedForward, LayerNorm, MultiHeadAttention } from 'tfjs-power-softmax';
import { symbolOf } from './parameter.js';

/**
 * The same function with every feed-forward network as a sum of `parts` narrower ones, which share its hidden units in order: `gelu(x W) V` is the sum
 * of `gelu(x W_i) V_i`. What an encryption holds at once is then narrower, and each part has an interval of its own. Blocks named `b` become layers
 * `b/attention`, `b/attention_norm`, `b/feed_forward_0` and so on.
 *
 * @param model a chain of layers of one input, of whose blocks each is post-norm and has `gelu`
 * @param parts divides the hidden units of every block
 */
export function dividedModel(model: tfl.LayersModel, parts: number): tfl.LayersModel {
  const inputs = tfl.input({ shape: model.inputs[0]?.shape.slice(1) ?? [], name: model.inputNames[0] ?? 'tokens' });
  const outputs = model.layers
    .filter((layer) => layer.getClassName() !== 'InputLayer')
    .reduce((x, layer) => (layer instanceof EncoderBlock ? dividedBlock(layer, x, parts) : copied(layer, x)), inputs);
  return tfl.model({ name: model.name, inputs, outputs });
}

function copied(layer: tfl.layers.Layer, x: tfl.SymbolicTensor): tfl.SymbolicTensor {
  // Every serialisable layer's constructor has the static members of its class.
  const layerClass = layer.constructor as tf.serialization.SerializableConstructor<tfl.layers.Layer>;
  return withWeights(layerClass.fromConfig(layerClass, layer.getConfig()), x, layer.getWeights());
}

function dividedBlock(block: EncoderBlock, x: tfl.SymbolicTensor, parts: number): tfl.SymbolicTensor {
  const { name, config, normEpsilon: epsilon } = block;
  const norm = (of: 'attention_norm' | 'feed_forward_norm', sum: tfl.SymbolicTensor): tfl.SymbolicTensor =>
    withWeights(new LayerNorm({ name: `${name}/${of}`, epsilon }), sum, present(block.normWeights(of)));
  const { query, key, value, output } = block.attentionWeights();
  const projections = [query, key, value, output].flatMap(({ kernel, bias }) => present([kernel, bias]));
  const attended = withWeights(new MultiHeadAttention({ ...config, name: `${name}/attention` }), x, projections);
  const middle = norm('attention_norm', added(`${name}/attention_residual`, [x, attended]));
  const changes = Array.from({ length: parts }, (_, part) => feedForwardPart(block, middle, part, parts));
  return norm('feed_forward_norm', added(`${name}/feed_forward_residual`, [middle, ...changes]));
}

function feedForwardPart(block: EncoderBlock, x: tfl.SymbolicTensor, part: number, parts: number): tfl.SymbolicTensor {
  const hiddenDim = block.hiddenDim / parts;
  const layer = new FeedForward({ name: `${block.name}/feed_forward_${part}`, hiddenDim });
  const { hidden, output } = block.feedForwardWeights();
  const features = hidden.kernel.shape[0];
  const weights = tf.tidy(() => {
    const begin = part * hiddenDim;
    const hiddenBias = hidden.bias ?? tf.zeros([block.hiddenDim]);
    const outputBias = part === 0 && output.bias !== undefined ? output.bias : tf.zeros([features]);
    return [
      tf.slice(hidden.kernel, [0, begin], [features, hiddenDim]),
      tf.slice(hiddenBias, begin, hiddenDim),
      tf.slice(output.kernel, [begin, 0], [hiddenDim, features]),
      tf.clone(outputBias),
    ];
  });
  const change = withWeights(layer, x, weights);
  tf.dispose(weights);
  return change;
}

function added(name: string, terms: tfl.SymbolicTensor[]): tfl.SymbolicTensor {
  return symbolOf(tfl.layers.add({ name }).apply(terms));
}

function withWeights(layer: tfl.layers.Layer, x: tfl.SymbolicTensor, weights: tf.Tensor[]): tfl.SymbolicTensor {
  const output = symbolOf(layer.apply(x));
  layer.setWeights(weights);
  return output;
}

function present(weights: readonly (tf.Tensor | undefined)[]): tf.Tensor[] {
  return weights.filter((weight) => weight !== undefined);
}
