import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type DecoderStep, decoderStep, PolynomialAttention, UnsupportedLayerError } from 'tfjs-power-softmax';
import { AssetError } from '../errors.js';
import type { PretrainedConfig } from '../pretrained/config.js';
import { tokenShare } from './token_share.js';

/**
 * The form of a language model that reads one token at a time, its keys and values cached; undefined for other models, and for those with layers that have no such
 * form, which read whole windows.
 *
 * @throws AssetError where the client would be told another power than that of the model's attention
 */
export function stepModel(config: PretrainedConfig, model: LayersModel): DecoderStep | undefined {
  if (config.task !== 'text-generation' || !model.layers.some((layer) => layer instanceof PolynomialAttention)) return undefined;
  try {
    const step = decoderStep(model);
    if (Math.abs(step.share(1) - tokenShare(config, 1)) < 1e-6) return step;
  } catch (error) {
    if (error instanceof UnsupportedLayerError) return undefined;
    throw error;
  }
  throw new AssetError(`config.json of ${config.name} says another power than its model: write the model's as "power".`, {
    model: config.name,
  });
}
