import type { Schedule } from '../optimise.js';

/** Everything that decides a student's weights, beside the teacher's. */
export interface StoryRecipe extends Schedule {
  /** Tokens of a window, the model's whole context. */
  readonly tokens: number;
  /** Even power of PowerSoftmax. */
  readonly p: number;
  /** Of PowerSoftmax, in units of `scores^p`. */
  readonly epsilon: number;
  /** Median of `mean(scores^p)` that the teacher's queries are scaled to, per head, in units of `epsilon`. */
  readonly scoreLevel: number;
  /** Epsilon of a block's normalisations, as a share of the median mean square that the teacher has there. */
  readonly normEpsilonShare: number;
  /** Windows of a step. */
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** Tokens that the teacher writes for training, and for the held-out text. */
  readonly sampledTokens: number;
  readonly heldOutTokens: number;
  /** Weight of the distance between the residual streams of student and teacher after each block, in shares of the teacher's mean square. */
  readonly hiddenWeight: number;
  readonly rangeLossWeight: number;
  readonly rangeTargets: {
    /** Upper end of `mean(scores^p) + epsilon`, in units of epsilon. */
    readonly reciprocal: number;
    /** Upper end of `mean(x^2) + epsilon`, in units of the block's epsilon. */
    readonly rsqrt: number;
    /** Both ends of SiLU's inputs. */
    readonly silu: number;
  };
  readonly conversion: {
    /** Windows of training text that the polynomials are calibrated on. */
    readonly calibrationWindows: number;
    readonly margin: { readonly reciprocal: number; readonly rsqrt: number; readonly silu: number };
    readonly bits: number;
    /** Attention computes scores of tokens to come too, before it zeroes them: powers of these are larger than anything in a classifier. */
    readonly valueBits: number;
    /** The same for the step of one token, which sees none to come. */
    readonly stepValueBits: number;
  };
}

export const STORIES_RECIPE: StoryRecipe = {
  tokens: 32,
  p: 4,
  epsilon: 1,
  scoreLevel: 4,
  normEpsilonShare: 0.5,
  seed: 1,
  epochs: 5,
  stepsPerEpoch: 200,
  batchSize: 16,
  learningRate: 2e-3,
  warmup: 0.05,
  weightDecay: 0,
  clipNorm: 1,
  sampledTokens: 20_000,
  heldOutTokens: 10_000,
  hiddenWeight: 1,
  rangeLossWeight: 0.05,
  rangeTargets: { reciprocal: 25, rsqrt: 12, silu: 6 },
  conversion: { calibrationWindows: 1000, margin: { reciprocal: 2, rsqrt: 2.5, silu: 1.5 }, bits: 9, valueBits: 12, stepValueBits: 6 },
};
