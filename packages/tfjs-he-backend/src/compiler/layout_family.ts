import { sizeOf } from '../graph/node.js';
import { featureMajor, isVector, powerOfTwoAtLeast, replicated, type SlotLayout, sameLayout, strided, tokenMajor } from './slot_layout.js';

/** Where a tensor's elements lie in its slots, by what lies next to each other. */
export type LayoutName = 'feature-major' | 'token-major' | 'interleaved' | 'replicated';

/** `matmul`: as products of encrypted matrices need, or leave, a tensor. */
export const LAYOUT_COUNTS = ['feature-major', 'token-major', 'interleaved', 'replicated', 'matmul'] as const;

/** Tensors by layout; of those in several ciphertexts, each part. */
export type LayoutCounts = Readonly<Partial<Record<(typeof LAYOUT_COUNTS)[number], number>>>;

/**
 * What tensors that are free to choose lie like: inputs, results of maps whose users do not ask for a layout, and products of these. `mixed`: inputs feature-major, everything else whatever is cheapest to
 * get to, one map after the other.
 */
export type LayoutFamily = LayoutName | 'mixed';

/** The layout of an input. */
export function inputLayout(family: LayoutFamily, shape: readonly number[], slots: number): SlotLayout {
  if (family === 'token-major') return tokenMajor(shape);
  return family === 'replicated' ? replicated(shape, slots) : featureMajor(shape);
}

/**
 * Layouts that the result of a map, or a product of such, may take, the first of the cheapest being taken.
 * @param inherited those that leave elements where they are read from
 */
export function freeLayouts(family: LayoutFamily, shape: readonly number[], inherited: readonly SlotLayout[], slots: number): SlotLayout[] {
  const fitting = distinct(candidates(family, shape, inherited, slots)).filter((layout) => layout.period <= slots);
  return fitting.length > 0 ? fitting : [featureMajor(shape)];
}

function candidates(family: LayoutFamily, shape: readonly number[], inherited: readonly SlotLayout[], slots: number): SlotLayout[] {
  switch (family) {
    case 'feature-major':
      return [featureMajor(shape)];
    case 'token-major':
      return [tokenMajor(shape)];
    case 'interleaved':
      return [...inherited, ...spreadVectors(shape, slots).slice(1)];
    case 'replicated':
      return [replicated(shape, slots), featureMajor(shape)];
    case 'mixed':
      return [featureMajor(shape), ...inherited, ...spreadVectors(shape, slots)];
  }
}

/** The same for a product of maps' results, to whose layout both are brought. */
export function productLayouts(
  family: LayoutFamily,
  shape: readonly number[],
  inherited: readonly SlotLayout[],
  slots: number,
): SlotLayout[] {
  if (family !== 'mixed') return freeLayouts(family, shape, inherited, slots);
  return distinct([featureMajor(shape), ...inherited]).filter((layout) => layout.period <= slots);
}

/** Of a vector: with gaps of all sizes, in which a source that repeats to fill the slots meets several diagonals at once. */
function spreadVectors(shape: readonly number[], slots: number): SlotLayout[] {
  const layouts: SlotLayout[] = [];
  if (!isVector(shape)) return layouts;
  const size = sizeOf(shape);
  for (let stride = 1; stride * powerOfTwoAtLeast(size) <= slots; stride *= 2) layouts.push(strided(size, stride));
  return layouts;
}

function distinct(layouts: readonly SlotLayout[]): SlotLayout[] {
  return layouts.filter((layout, i) => layouts.findIndex((other) => sameLayout(other, layout)) === i);
}

/** The name of a tensor's layout: what has neither of the regular orders, or gaps, is interleaved. */
export function layoutName(shape: readonly number[], layout: SlotLayout): LayoutName | 'matmul' {
  if (layout.ofMatMul === true) return 'matmul';
  const lies = (other: SlotLayout): boolean => other.slotOf.every((slot, i) => slot === layout.slotOf[i]);
  if (layout.block !== undefined) return 'replicated';
  if (lies(featureMajor(shape))) return 'feature-major';
  return lies(tokenMajor(shape)) ? 'token-major' : 'interleaved';
}
