import type { LayersModel } from '@tensorflow/tfjs-layers';
import { encodeQuestions } from '../train/batches.js';
import { buildClassifier } from '../train/classifier.js';
import { convertClassifier } from '../train/convert.js';
import { BANKING77_RECIPE } from '../train/recipe.js';

/** Sizes of an encoder whose cost is asked for. */
export interface EncoderSizes {
  readonly tokens: number;
  readonly features: number;
  readonly blocks: number;
}

const VOCABULARY = 50;
const HEAD = 32;
/** Values that one ciphertext holds at the ring degree 16384. */
const SLOTS = 8192;

/**
 * The polynomial form of an encoder with weights as drawn, which costs what a trained one does: heads of 32, a feed-forward network of twice the features in
 * parts of a ciphertext each, approximations of power-banking77's degrees, mean over the tokens, 2 logits.
 */
export function untrainedModel({ tokens, features, blocks }: EncoderSizes): LayersModel {
  const numHeads = Math.max(1, features / HEAD);
  const hiddenDim = 2 * features;
  const architecture = {
    ...BANKING77_RECIPE.architecture,
    maxTokens: tokens,
    features,
    numHeads,
    keyDim: features / numHeads,
    hiddenDim,
    blocks,
    feedForwardParts: Math.max(1, (tokens * hiddenDim) / SLOTS),
  };
  const recipe = { ...BANKING77_RECIPE, architecture };
  const rows = Array.from({ length: 4 }, (_, row) => ({
    ids: Array.from({ length: tokens }, (_, i) => 1 + ((7 * i + 3 * row) % (VOCABULARY - 1))),
    label: 0,
  }));
  const classifier = buildClassifier(recipe, 'power', VOCABULARY, 2);
  try {
    return convertClassifier(classifier, encodeQuestions(rows, tokens), recipe, 'untrained').model;
  } finally {
    classifier.dispose();
  }
}
