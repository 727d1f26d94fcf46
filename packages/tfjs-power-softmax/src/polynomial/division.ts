import { isCheaper, type PolynomialCost } from '../approximation/cost.js';

/** Where PowerSoftmax attention multiplies by the reciprocal of a row: its `outputs`, after the product with the values, or its `weights`, before. */
export type DivisionPlace = 'outputs' | 'weights';

export const DIVISION_PLACES: readonly DivisionPlace[] = ['outputs', 'weights'];

export interface DivisionShape {
  readonly queries: number;
  readonly keys: number;
  readonly keyDim: number;
  /** Levels of the reciprocal's polynomial, at least 1. */
  readonly reciprocalDepth: number;
}

/**
 * What each place costs, for one head and example: levels from the powered scores to the attended values, and numbers multiplied.
 *
 * | place | levels | numbers |
 * |---|---|---|
 * | `outputs [queries, keyDim]` | `max(reciprocal, 1) + 1`: the product with the values runs beside the polynomial | `queries * keyDim` |
 * | `weights [queries, keys]` | `reciprocal + 2` | `queries * keys` |
 */
export function divisionCosts({ queries, keys, keyDim, reciprocalDepth }: DivisionShape): Readonly<Record<DivisionPlace, PolynomialCost>> {
  return {
    outputs: { depth: Math.max(reciprocalDepth, 1) + 1, products: queries * keyDim },
    weights: { depth: reciprocalDepth + 2, products: queries * keys },
  };
}

/** The place with fewer levels, then with fewer products; of equals the outputs. */
export function cheapestDivision(shape: DivisionShape): DivisionPlace {
  const { outputs, weights } = divisionCosts(shape);
  return isCheaper(weights, outputs) ? 'weights' : 'outputs';
}
