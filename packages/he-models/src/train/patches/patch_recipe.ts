import { type PatchGrid, tokenCount } from '../../patches/patch_grid.js';
import type { HeMetadata } from '../../pretrained/config.js';
import type { Schedule } from '../optimise.js';

/**
 * Sizes of the classifier of patches: one attention layer and one feed-forward network with activation `x^2 / 8 + x / 4 + 1/2` and a residual
 * connection, without normalisation, so that the only function to approximate is the reciprocal of attention. Attention is that of the tokens to
 * each other, with a residual connection, or that of learned queries to the tokens, which takes half the levels.
 */
export interface PatchArchitecture {
  readonly grid: PatchGrid;
  readonly features: number;
  readonly numHeads: number;
  /** Size of a head's values, and of its queries and keys where tokens attend to each other. */
  readonly keyDim: number;
  /** Units of the feed-forward network; with the head `queries` 0 means that there is none. */
  readonly hiddenDim: number;
  /** Power of PowerSoftmax. */
  readonly p: number;
  /** Added to `mean(scores^p)`. */
  readonly attentionEpsilon: number;
  /**
   * What the last dense layer sees: the mean of all tokens, all tokens side by side, or, in place of self-attention, what `numHeads` learned
   * queries found, side by side and through the feed-forward network.
   */
  readonly head: 'mean' | 'all' | 'queries';
}

/**
 * Shape of the server's input for one example: `[tokens, features]`. For the head `queries` these are one row, so that the compiler lays tokens out
 * one after the other: sums over them are then a few rotations and cost no level.
 */
export function serverShape({ grid, features, head }: PatchArchitecture): readonly [rows: number, columns: number] {
  const tokens = tokenCount(grid);
  return head === 'queries' ? [1, tokens * features] : [tokens, features];
}

/** Everything that a training run's result depends on, besides the data and the variant. */
export interface PatchRecipe extends Schedule {
  readonly architecture: PatchArchitecture;
  readonly batchSize: number;
  /** Examples drawn per epoch. */
  readonly examplesPerEpoch: number;
  /** A class of `n` examples is drawn in proportion to `n^classPower`: 1 takes the data as it is, 0 all classes equally often. */
  readonly classPower: number;
  readonly labelSmoothing: number;
  /** Largest random shift of a training example down or up, and right or left, in places. */
  readonly maxShift: readonly [vertical: number, horizontal: number];
  /** Training examples are multiplied by a factor drawn from `[1 - gain, 1 + gain]`. */
  readonly gain: number;
  /** Share of the embedding's entries dropped. */
  readonly embeddingDropout: number;
  readonly rangeLossWeight: number;
  /** Upper end of `mean(scores^p) + epsilon` that the range loss aims at. */
  readonly rangeTarget: number;
  readonly conversion: {
    /** Training examples, the first so many, whose ranges are taken. */
    readonly calibrationExamples: number;
    /** Factor by which the ranges are widened. */
    readonly margin: number;
    readonly degree: number;
    /** log2 of a bound on refreshed values: without normalisation they go up to some hundreds. */
    readonly valueBits: number;
    /** What else the model is compiled with. Default: the compiler's choice. */
    readonly compile?: Pick<HeMetadata['parameters'], 'polyModulusDegrees' | 'roundTripMs'>;
  };
}
