import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { ClassificationHead } from '../layers/classification_head.js';
import type { LanguageModelHead } from '../layers/language_model_head.js';
import { MaskedMeanPooling } from '../layers/masked_mean_pooling.js';
import { TokenPooling } from '../layers/token_pooling.js';
import { applied, applyNorm, type Choices } from './convert_parts.js';

/** Pooling, normalisation and projection of a head, each a layer under the head's name: `<name>/pool`, `<name>/norm`, `<name>/logits`. */
export function convertHead(head: ClassificationHead | LanguageModelHead, inputs: SymbolicTensor[], choices: Choices): SymbolicTensor {
  const { name, units, useBias, normEpsilon } = head;
  const pooled = head instanceof ClassificationHead ? [applied(poolingOf(head), inputs)] : inputs;
  const weights = head.normWeights();
  const normalised = weights === undefined ? pooled : [applyNorm(`${name}/norm`, normEpsilon, weights, pooled, choices)];
  const logits = layers.dense({ name: `${name}/logits`, units, useBias });
  const output = applied(logits, normalised);
  const { kernel, bias } = head.logitsProjection();
  logits.setWeights(bias === undefined ? [kernel] : [kernel, bias]);
  return output;
}

function poolingOf({ name, pooling, count }: ClassificationHead): layers.Layer {
  const pool = `${name}/pool`;
  return pooling === 'mean' ? new MaskedMeanPooling({ name: pool, count }) : new TokenPooling({ name: pool, position: pooling });
}
