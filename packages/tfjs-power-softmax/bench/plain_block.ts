import * as tf from '@tensorflow/tfjs-core';

/** Weights of one block by the names that `EncoderBlock` gives them, e.g. `attention/query/kernel`. */
export type BlockVariables = ReadonlyMap<string, tf.Variable>;

export interface BlockShape {
  readonly numHeads: number;
  readonly keyDim: number;
  readonly attention: 'power' | 'softmax';
  readonly p: 4;
  readonly epsilon: number;
  readonly normEpsilon: number;
}

/**
 * The post-norm encoder block as one writes it down: stock tfjs ops and their own gradients. Products are `tf.matMul`, on matrices for the
 * projections and with `transposeB` for the scores; there is no einsum (the WASM backend has none), no op with a gradient of ours, and the
 * fourth power is two squares (`tf.pow` would be slower still). Computes what `EncoderBlock` computes.
 *
 * @param x `[batch, tokens, d]`
 */
export function plainBlock(x: tf.Tensor3D, variables: BlockVariables, shape: BlockShape): tf.Tensor3D {
  const weight = <T extends tf.Tensor>(name: string): T => {
    const variable = variables.get(name);
    if (variable === undefined) throw new Error(`the block has no weight ${name}`);
    // A variable of the rank that its name says.
    return variable as unknown as T;
  };
  const project = (input: tf.Tensor, name: string, bias: boolean): tf.Tensor3D => {
    const kernel = weight<tf.Tensor2D>(`${name}/kernel`);
    const [batch = 0, tokens = 0, features = 0] = input.shape;
    const product = tf.matMul(tf.reshape<tf.Rank.R2>(input, [batch * tokens, features]), kernel);
    return tf.reshape(bias ? tf.add(product, weight(`${name}/bias`)) : product, [batch, tokens, kernel.shape[1]]);
  };
  const heads = (input: tf.Tensor3D): tf.Tensor4D => {
    const [batch, tokens] = input.shape;
    return tf.transpose<tf.Tensor4D>(tf.reshape<tf.Rank.R4>(input, [batch, tokens, shape.numHeads, shape.keyDim]), [0, 2, 1, 3]);
  };
  const [query, key, value] = ['query', 'key', 'value'].map((name) => heads(project(x, `attention/${name}`, false)));
  if (query === undefined || key === undefined || value === undefined) throw new Error('three projections');
  const scores = tf.div<tf.Tensor4D>(tf.matMul(query, key, false, true), Math.sqrt(shape.keyDim));
  const attended = tf.transpose(tf.matMul(plainWeights(scores, shape), value), [0, 2, 1, 3]);
  const merged = tf.reshape(attended, [x.shape[0], x.shape[1], shape.numHeads * shape.keyDim]);
  const norm = (input: tf.Tensor3D, name: string): tf.Tensor3D =>
    plainLayerNorm(input, weight(`${name}/gamma`), weight(`${name}/beta`), shape.normEpsilon);
  const middle = norm(tf.add(x, project(merged, 'attention/output', true)), 'attention_norm');
  const hidden = plainGelu(project(middle, 'feed_forward/hidden', true));
  return norm(tf.add(middle, project(hidden, 'feed_forward/output', true)), 'feed_forward_norm');
}

function plainWeights(scores: tf.Tensor4D, { attention, epsilon }: BlockShape): tf.Tensor4D {
  if (attention === 'softmax') return tf.softmax(scores);
  const powered = tf.square(tf.square(scores));
  return tf.div(powered, tf.add(tf.sum(powered, -1, true), epsilon * scores.shape[3]));
}

function plainGelu(x: tf.Tensor3D): tf.Tensor3D {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

function plainLayerNorm(x: tf.Tensor3D, gamma: tf.Tensor1D, beta: tf.Tensor1D, epsilon: number): tf.Tensor3D {
  const { mean, variance } = tf.moments(x, -1, true);
  return tf.add(tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon))), gamma), beta);
}
