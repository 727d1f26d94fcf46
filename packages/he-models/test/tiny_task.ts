import { encodeQuestions } from '../src/train/batches.js';
import { BANKING77_RECIPE, type Recipe } from '../src/train/recipe.js';

/** A recipe that trains in a second. */
export const TINY_RECIPE: Recipe = {
  ...BANKING77_RECIPE,
  architecture: { maxTokens: 6, features: 8, numHeads: 2, keyDim: 4, hiddenDim: 8, p: 4, attentionEpsilon: 0.1, normEpsilon: 0.5 },
  seed: 11,
  epochs: 4,
  batchSize: 8,
  learningRate: 2e-2,
};

export const TINY_VOCABULARY = 9;
export const TINY_LABELS = 3;

/** Questions whose label is which of the tokens 2, 3 and 4 they hold, among tokens that mean nothing. */
export function tinyQuestions(count: number) {
  const rows = Array.from({ length: count }, (_, index) => {
    const label = index % TINY_LABELS;
    const noise = [5 + (index % 4), 5 + (Math.floor(index / 4) % 4)];
    return { ids: index % 2 === 0 ? [label + 2, ...noise] : [...noise, label + 2, 5], label };
  });
  return encodeQuestions(rows, TINY_RECIPE.architecture.maxTokens);
}
