import type * as tf from '@tensorflow/tfjs-core';
import { gelu } from '../ops/gelu.js';
import { reportRange } from '../ranges/recorder.js';
import { type Projection, project } from './self_attention.js';

export interface FeedForwardWeights {
  readonly hidden: Projection;
  readonly output: Projection;
}

/** `gelu(x W_1 + b_1) W_2 + b_2`; reports the pre-activations as `site`. @param x `[batch, tokens, d]` */
export function feedForward(x: tf.Tensor3D, weights: FeedForwardWeights, site: string): tf.Tensor3D {
  const hidden = project(x, weights.hidden);
  reportRange({ name: site, function: 'gelu' }, () => hidden);
  return project(gelu(hidden), weights.output);
}
