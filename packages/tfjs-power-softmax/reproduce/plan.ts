import type { PolynomialConfig } from './measurements/polynomial_form.ts';
import type { ModelConfig } from './model.ts';
import type { TrainConfig } from './training.ts';

/** Sizes of everything; equal for all variants that are compared. */
export interface Budget {
  readonly model: Pick<ModelConfig, 'features' | 'heads' | 'hidden' | 'layers' | 'normEpsilon' | 'tokens'>;
  readonly training: Pick<TrainConfig, 'steps' | 'batch' | 'learningRate' | 'warmUp' | 'points' | 'pointWindows' | 'finalWindows'>;
  /** Epsilon of PowerSoftmax where it is not what varies. */
  readonly epsilon: number;
  readonly powers: readonly number[];
  /** Those of the powers that are trained with the range loss too. */
  readonly rangePowers: readonly number[];
  /** Larger learning rates, at which training may become unstable, and the powers that are trained with them (beside softmax). */
  readonly stability: { readonly learningRates: readonly number[]; readonly powers: readonly number[] };
  readonly depths: readonly number[];
  /** Instead of `training`'s, for the models of several depths. */
  readonly depthTraining: Pick<TrainConfig, 'steps' | 'points' | 'pointWindows'>;
  readonly epsilons: readonly number[];
  readonly polynomial: PolynomialConfig;
  /** Windows of text for measurements. */
  readonly windows: number;
  readonly lengthMultiples: readonly number[];
  readonly lengthWindows: number;
}

/** What is to be run. */
export interface Plan {
  readonly budget: Budget;
  readonly seeds: number;
  /** SHA-256 of the text. */
  readonly text: string;
  /** Validation losses, in nats per character, of counts of single characters and of pairs. */
  readonly baselines: { readonly unigram: number; readonly bigram: number };
}

export const FULL: Budget = {
  model: { features: 64, heads: 4, hidden: 128, layers: 2, normEpsilon: 1e-2, tokens: 64 },
  training: { steps: 400, batch: 8, learningRate: 1e-2, warmUp: 40, points: 16, pointWindows: 24, finalWindows: 192 },
  epsilon: 1e-2,
  powers: [2, 4, 6, 8, 10],
  rangePowers: [4, 8],
  stability: { learningRates: [3e-2, 1e-1], powers: [4, 8, 10] },
  depths: [4, 8],
  depthTraining: { steps: 150, points: 10, pointWindows: 16 },
  epsilons: [1e-3, 1e-2, 1e-1, 1],
  polynomial: { bits: 10, margin: 2, calibrationWindows: 128, validationWindows: 96 },
  windows: 128,
  lengthMultiples: [1, 2, 4, 8],
  lengthWindows: 16,
};

export const QUICK: Budget = {
  ...FULL,
  training: { ...FULL.training, steps: 60, warmUp: 10, points: 6, pointWindows: 16, finalWindows: 32 },
  stability: { learningRates: [1e-1], powers: [4, 10] },
  depths: [4],
  depthTraining: { steps: 25, points: 5, pointWindows: 16 },
  polynomial: { ...FULL.polynomial, calibrationWindows: 64, validationWindows: 32 },
  windows: 64,
  lengthWindows: 8,
};

/** The seeds of a plan: 1, 2, ... */
export function seedsOf({ seeds }: Plan): number[] {
  return Array.from({ length: seeds }, (_, i) => i + 1);
}

/** Attention of a model and, for PowerSoftmax, its power. */
export interface Variant {
  readonly name: string;
  readonly attention: ModelConfig['attention'];
  readonly p?: number;
}

export const SOFTMAX: Variant = { name: 'softmax', attention: 'softmax' };
export const SIGMA: Variant = { name: 'sigma', attention: 'sigma' };
export const UNSCALED_SIGMA: Variant = { name: 'sigma without 1/sqrt(L)', attention: 'sigma-unscaled' };

export function power(p: number): Variant {
  return { name: `PowerSoftmax p = ${p}`, attention: 'power', p };
}

/** What varies besides the variant. */
export type Changes = Partial<Pick<ModelConfig, 'layers' | 'epsilon'>> &
  Partial<Pick<TrainConfig, 'steps' | 'learningRate' | 'points' | 'pointWindows' | 'range'>>;

/** The training of a variant in a plan. @param changes of the budget's model and training */
export function training({ budget }: Plan, { attention, p = 0 }: Variant, seed: number, changes: Changes = {}): TrainConfig {
  const { layers = budget.model.layers, epsilon = budget.epsilon, ...others } = changes;
  return {
    ...budget.training,
    ...others,
    model: { ...budget.model, layers, attention, p, epsilon: attention === 'power' ? epsilon : 0, seed },
  };
}

/** The range loss as a change of training, from the first step on. @param kappa largest denominator aimed for, in epsilons */
export function rangeLoss({ budget }: Plan, kappa: number): Changes {
  const { rsqrtUpper, geluBound, weight } = RANGE_LOSS;
  const targets = {
    reciprocal: { upper: kappa * budget.epsilon },
    rsqrt: { upper: rsqrtUpper },
    gelu: { lower: -geluBound, upper: geluBound },
  };
  return { range: { weight, targets } };
}

export const RANGE_LOSS = { weight: 0.1, rsqrtUpper: 3, geluBound: 4 } as const;
