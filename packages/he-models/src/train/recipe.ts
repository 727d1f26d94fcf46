import type { AttentionKind } from 'tfjs-power-softmax';
import type { WordPieceSizes } from '../text/build_word_pieces.js';
import type { PretrainingRecipe } from './sst2/pretrain.js';

/** Sizes of the classifier. The HE compiler's matrix products are cheapest with `keyDim = maxTokens`. */
export interface Architecture {
  readonly maxTokens: number;
  readonly features: number;
  readonly numHeads: number;
  readonly keyDim: number;
  readonly hiddenDim: number;
  /** Power of PowerSoftmax. */
  readonly p: number;
  /** Added to `mean(scores^p)`. */
  readonly attentionEpsilon: number;
  /** Added to the variance in the blocks' LayerNorms. */
  readonly normEpsilon: number;
  /**
   * Encoder blocks; default 1. In a stack of several, biases that would move rows of zeros stay zero, so that padding is zero in every block, whatever
   * its length, and the sum over the tokens does not see it.
   */
  readonly blocks?: number;
  /** Parts that each feed-forward network is cut into when the model is converted, a divisor of `hiddenDim`; default 1. A part fits one ciphertext. */
  readonly feedForwardParts?: number;
}

/** Everything that a training run's result depends on, besides the data and the variant. */
export interface Recipe {
  readonly architecture: Architecture;
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Peak of the cosine schedule. */
  readonly learningRate: number;
  /** Share of all steps spent on the linear warm-up. */
  readonly warmup: number;
  /** Decoupled, on matrices other than the position embedding. */
  readonly weightDecay: number;
  /** Bound of the gradient's global norm. */
  readonly clipNorm: number;
  readonly labelSmoothing: number;
  /** Share of tokens replaced by `[UNK]`. */
  readonly wordDropout: number;
  /** Share of the embedding's entries dropped. */
  readonly embeddingDropout: number;
  /** Share of the pooled vector's entries dropped. */
  readonly pooledDropout: number;
  /** Occurrences in the training questions from which a WordPiece token is kept. */
  readonly minTokenCount: number;
  /** Lengths that batches are cut to, ascending, the last `maxTokens`; default `maxTokens` alone. Needs several blocks. */
  readonly lengths?: readonly number[];
  /** How the vocabulary and the first token vectors are made, of models that do not begin at random. */
  readonly pretraining?: PretrainingRecipe & WordPieceSizes & { readonly phraseWeight: number };
  readonly rangeLossWeight: number;
  /** Upper ends that the range loss aims at, in the units of each function's input. */
  readonly rangeTargets: { readonly reciprocal: number; readonly rsqrt: number; readonly gelu: number };
  readonly conversion: {
    /** Training questions that the ranges are calibrated on, the longest; default all. */
    readonly calibration?: number;
    /**
     * Factor on the embedded training questions that the ranges are calibrated on. It widens each site's interval as much as its inputs may
     * vary: the attention denominators, of degree `2 * p`, much more than the others.
     */
    readonly inputMargin: number;
    /** Factor by which the ranges are then widened. */
    readonly margin: number;
    readonly degrees: { readonly reciprocal: number; readonly rsqrt: number; readonly gelu: number };
  };
}

/** The trained form and its twin with softmax. */
export type Variant = Extract<AttentionKind, 'power' | 'softmax'>;

/** Recipe of `power-banking77`. */
export const BANKING77_RECIPE: Recipe = {
  architecture: {
    maxTokens: 32,
    features: 64,
    numHeads: 2,
    keyDim: 32,
    hiddenDim: 128,
    p: 4,
    attentionEpsilon: 0.3,
    normEpsilon: 0.5,
  },
  seed: 1,
  epochs: 60,
  batchSize: 64,
  learningRate: 4e-3,
  warmup: 0.05,
  weightDecay: 0.05,
  clipNorm: 1,
  labelSmoothing: 0.1,
  wordDropout: 0.1,
  embeddingDropout: 0.2,
  pooledDropout: 0.2,
  minTokenCount: 2,
  rangeLossWeight: 1,
  rangeTargets: { reciprocal: 1.8, rsqrt: 1.5, gelu: 2 },
  conversion: { inputMargin: 1.05, margin: 1.2, degrees: { reciprocal: 3, rsqrt: 3, gelu: 6 } },
};
