import type { PatchRecipe } from './patch_recipe.js';

/** Recipe of `power-mnist-vit`: 16 overlapping patches of 10 x 10 pixels. */
export const MNIST_RECIPE: PatchRecipe = {
  architecture: {
    grid: {
      height: 28,
      width: 28,
      patchHeight: 10,
      patchWidth: 10,
      strideY: 6,
      strideX: 6,
      paddingY: 0,
      paddingX: 0,
      offset: 0,
      scale: 255,
    },
    features: 32,
    numHeads: 2,
    keyDim: 16,
    hiddenDim: 64,
    p: 2,
    attentionEpsilon: 0.3,
    head: 'all',
  },
  seed: 1,
  epochs: 12,
  batchSize: 64,
  examplesPerEpoch: 32_000,
  classPower: 1,
  learningRate: 4e-3,
  warmup: 0.05,
  weightDecay: 0.02,
  clipNorm: 1,
  labelSmoothing: 0.05,
  maxShift: [2, 2],
  gain: 0,
  embeddingDropout: 0,
  rangeLossWeight: 1,
  rangeTarget: 1.8,
  conversion: { calibrationExamples: 4000, margin: 1.3, degree: 3, valueBits: 8 },
};

/** Tokens that attend to each other: 14 levels. */
const ECG_SELF_ATTENTION: PatchRecipe = {
  architecture: {
    grid: {
      height: 1,
      width: 128,
      patchHeight: 1,
      patchWidth: 16,
      strideY: 1,
      strideX: 8,
      paddingY: 0,
      paddingX: 4,
      offset: 0,
      scale: 128,
    },
    features: 16,
    numHeads: 2,
    keyDim: 8,
    hiddenDim: 32,
    p: 2,
    attentionEpsilon: 0.3,
    head: 'mean',
  },
  seed: 1,
  epochs: 6,
  batchSize: 64,
  examplesPerEpoch: 12_800,
  classPower: 0.6,
  learningRate: 4e-3,
  warmup: 0.05,
  weightDecay: 0.05,
  clipNorm: 1,
  labelSmoothing: 0.05,
  maxShift: [0, 3],
  gain: 0.3,
  embeddingDropout: 0.15,
  rangeLossWeight: 1,
  rangeTarget: 1.8,
  conversion: { calibrationExamples: 8000, margin: 1.3, degree: 3, valueBits: 8 },
};

/** Learned queries in place of self-attention, each with a value; a chain for all levels, so that nothing is refreshed. */
function queried(queries: number, hiddenDim: number, seed = 1): PatchRecipe {
  const { architecture, conversion } = ECG_SELF_ATTENTION;
  return {
    ...ECG_SELF_ATTENTION,
    architecture: { ...architecture, features: queries, numHeads: queries, keyDim: 1, hiddenDim, head: 'queries' },
    seed,
    epochs: 8,
    learningRate: 2e-3,
    // No round trips are foreseen, however short, and the logits alone have to fit the last prime.
    conversion: { ...conversion, valueBits: 5, compile: { polyModulusDegrees: [16384], roundTripMs: 300 } },
  };
}

/** Recipe of `power-ecg`: 16 overlapping windows of 16 samples, which 32 learned queries attend to. Of seeds 1 to 3 that with the lowest training loss. */
export const ECG_RECIPE: PatchRecipe = queried(32, 0, 3);

/** Others that were tried. */
export const ECG_TRIED: Readonly<Record<string, PatchRecipe>> = {
  'self-attention': ECG_SELF_ATTENTION,
  'queries-8-feed-forward': queried(8, 32),
  'queries-16-feed-forward': queried(16, 32),
  'queries-32-feed-forward': queried(32, 32),
  'queries-16': queried(16, 0),
};
