import { gzipSync } from 'node:zlib';
import type { ArraySplit, LabelledArrays } from '../src/data/mnist.js';
import { seededRandom } from '../src/random.js';
import type { PatchRecipe } from '../src/train/patches/patch_recipe.js';
import { MNIST_RECIPE } from '../src/train/patches/patch_recipes.js';
import type { PatchTask } from '../src/train/patches/patch_tasks.js';

/** A recipe for pictures of 4 x 6 that trains in a second. */
export const TINY_PATCH_RECIPE: PatchRecipe = {
  ...MNIST_RECIPE,
  architecture: {
    ...MNIST_RECIPE.architecture,
    grid: {
      ...MNIST_RECIPE.architecture.grid,
      ...{ height: 4, width: 6, patchHeight: 4, patchWidth: 3, strideY: 1, strideX: 3, scale: 10 },
    },
    features: 4,
    numHeads: 1,
    keyDim: 4,
    hiddenDim: 4,
  },
  epochs: 4,
  batchSize: 16,
  examplesPerEpoch: 96,
  learningRate: 2e-2,
  maxShift: [1, 0],
  gain: 0.1,
  embeddingDropout: 0.1,
  conversion: { calibrationExamples: 40, margin: 1.5, degree: 3, valueBits: 8 },
};

/** Pictures whose bright half, left or right, is the label, with noise. */
export function tinyPictures(count: number, seed: number): LabelledArrays {
  const random = seededRandom(seed);
  const labels = Int32Array.from({ length: count }, (_, index) => index % 2);
  const values = Uint8Array.from({ length: count * 24 }, (_, i) => {
    const bright = i % 6 < 3 === (labels[Math.floor(i / 24)] === 0);
    return (bright ? 8 : 1) + (Math.abs(random.next()) % 3);
  });
  return { values, length: 24, labels, count };
}

export const TINY_TASK: PatchTask = {
  name: 'tiny-pictures',
  task: 'image-classification',
  recipe: TINY_PATCH_RECIPE,
  read: async (): Promise<ArraySplit> => ({ train: tinyPictures(96, 1), dev: tinyPictures(20, 2), classes: ['left', 'right'] }),
  card: {
    purpose: 'Says where it is bright.',
    input: '4 rows of 6',
    split: 'made apart',
    choice: 'Of one.',
    limits: 'For tests.',
    data: 'Made up.',
  },
};

/** A gzipped IDX file of bytes. */
export function idx(shape: readonly number[], values: ArrayLike<number>): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  head.setUint32(0, 0x0800 + shape.length);
  for (const [index, size] of shape.entries()) head.setUint32(4 + 4 * index, size);
  return gzipSync(Buffer.concat([new Uint8Array(head.buffer), Uint8Array.from(values)]));
}
