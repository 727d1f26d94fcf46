import type { Schedule } from '../optimise.js';

/** How a converted checkpoint is trained on a table, and made a polynomial. */
export interface FineTuningRecipe extends Schedule {
  readonly batchSize: number;
  /** Final weight of the range loss. */
  readonly rangeLossWeight: number;
  readonly rangeTargets: {
    /** Upper end of `mean(scores^p) + epsilon`, in units of epsilon. */
    readonly reciprocal: number;
    /** Upper end of `variance + epsilon`, in units of the blocks' epsilon. */
    readonly rsqrt: number;
    /** Both ends of GELU's inputs. */
    readonly gelu: number;
  };
  /** Shares of all steps: before the ranges are tightened, and over which the targets move from where the ranges are at first. */
  readonly tightening: { readonly start: number; readonly steps: number };
  readonly conversion: {
    /** Training texts that the polynomials are calibrated on, the longest. */
    readonly calibration: number;
    /** Factors by which the ranges that these reach are widened; reciprocals are of powers of scores, which vary most. */
    readonly margin: { readonly reciprocal: number; readonly rsqrt: number; readonly gelu: number };
    readonly bits: number;
  };
}

export const FINE_TUNING_RECIPE: FineTuningRecipe = {
  seed: 1,
  epochs: 5,
  batchSize: 16,
  learningRate: 1e-3,
  warmup: 0.1,
  weightDecay: 0.01,
  clipNorm: 1,
  rangeLossWeight: 1,
  rangeTargets: { reciprocal: 5, rsqrt: 20, gelu: 4 },
  tightening: { start: 0.3, steps: 0.3 },
  conversion: { calibration: 256, margin: { reciprocal: 3, rsqrt: 1.5, gelu: 1.5 }, bits: 8 },
};
