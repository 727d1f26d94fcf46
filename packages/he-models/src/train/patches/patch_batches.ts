import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import type { LabelledArrays } from '../../data/mnist.js';
import { cutPatches, type PatchGrid, patchLength, tokenCount } from '../../patches/patch_grid.js';
import { permutation, type RandomGenerator } from '../../random.js';
import type { PatchRecipe } from './patch_recipe.js';

/**
 * Draws the examples of one epoch: classes at random in proportion to `count^classPower`, and the examples of a class in random order, anew
 * when all have been taken.
 *
 * @returns indices of examples, `batches` lists of `batchSize`
 */
export function drawBatches(
  labels: ArrayLike<number>,
  { batchSize, examplesPerEpoch, classPower }: Pick<PatchRecipe, 'batchSize' | 'examplesPerEpoch' | 'classPower'>,
  random: RandomGenerator,
): readonly (readonly number[])[] {
  const byClass = new Map<number, number[]>();
  for (let index = 0; index < labels.length; index += 1) {
    const label = labels[index] ?? 0;
    const members = byClass.get(label);
    if (members === undefined) byClass.set(label, [index]);
    else members.push(index);
  }
  const classes = [...byClass.entries()].sort(([a], [b]) => a - b).map(([, members]) => ({ members, queue: [] as number[] }));
  const weights = classes.map(({ members }) => members.length ** classPower);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const draw = (): number => {
    let left = uniformFloat32(random) * total;
    const chosen = classes.find((_, index) => {
      left -= weights[index] ?? 0;
      return left < 0;
    });
    const { members, queue } = chosen ?? classes[classes.length - 1] ?? { members: [0], queue: [] };
    if (queue.length === 0) queue.push(...Array.from(permutation(members.length, random), (place) => members[place] ?? 0));
    return queue.pop() ?? 0;
  };
  return Array.from({ length: Math.floor(examplesPerEpoch / batchSize) }, () => Array.from({ length: batchSize }, draw));
}

/** Patches `[indices * tokens * patchLength]` of some examples, without noise. */
export function patchesOf(examples: LabelledArrays, indices: readonly number[], grid: PatchGrid): Float32Array {
  return stack(examples, indices, grid, () => [0, 0]);
}

/** The same with a random shift and gain for each example. */
export function noisyPatches(
  examples: LabelledArrays,
  indices: readonly number[],
  { architecture: { grid }, maxShift: [vertical, horizontal], gain }: PatchRecipe,
  random: RandomGenerator,
): Float32Array {
  const patches = stack(examples, indices, grid, () => [
    uniformInt(random, -vertical, vertical),
    uniformInt(random, -horizontal, horizontal),
  ]);
  if (gain === 0) return patches;
  const size = patches.length / indices.length;
  indices.forEach((_, row) => {
    const factor = 1 + gain * (2 * uniformFloat32(random) - 1);
    for (let i = row * size; i < (row + 1) * size; i += 1) patches[i] = (patches[i] ?? 0) * factor;
  });
  return patches;
}

function stack(
  { values, length }: LabelledArrays,
  indices: readonly number[],
  grid: PatchGrid,
  shiftOf: () => readonly [number, number],
): Float32Array {
  const size = tokenCount(grid) * patchLength(grid);
  const patches = new Float32Array(indices.length * size);
  indices.forEach((index, row) => {
    cutPatches(values.subarray(index * length, (index + 1) * length), grid, patches.subarray(row * size, (row + 1) * size), shiftOf());
  });
  return patches;
}
