import type * as tf from '@tensorflow/tfjs-core';
import { EncoderBlock } from 'tfjs-power-softmax';

/**
 * An encoder block on sequences whose padding is cut off, with the weights of the whole one. Rows of zeros are scores of zero in PowerSoftmax's
 * mean, so without them `sum s^p / tokens + epsilon` is what it was, times `maxTokens / tokens`, with an epsilon larger by that factor.
 */
export class ShortenedBlock extends EncoderBlock {
  private readonly whole: EncoderBlock;

  constructor(whole: EncoderBlock, maxTokens: number, tokens: number) {
    const { config, hiddenDim, normEpsilon, name } = whole;
    super({ ...config, epsilon: (config.epsilon * maxTokens) / tokens, hiddenDim, normEpsilon, name });
    this.whole = whole;
  }

  override weight(name: string): tf.Tensor {
    return this.whole.weight(name);
  }
}
