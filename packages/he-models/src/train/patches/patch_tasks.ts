import { type ArraySplit, mnistSplit } from '../../data/mnist.js';
import type { PatchConfig } from '../../pretrained/config.js';
import type { PatchRecipe } from './patch_recipe.js';
import { MNIST_RECIPE } from './patch_recipes.js';

/** A model of arrays that this package trains. */
export interface PatchTask {
  /** Name of the model. */
  readonly name: string;
  readonly task: PatchConfig['task'];
  readonly recipe: PatchRecipe;
  readonly read: (directory: string) => Promise<ArraySplit>;
  /** Parts of the card that no figure stands in. */
  readonly card: PatchCardText;
}

export interface PatchCardText {
  /** What the model does, one sentence. */
  readonly purpose: string;
  /** What an input is: length, order, units. */
  readonly input: string;
  /** How the development part was split off. */
  readonly split: string;
  readonly limits: string;
  readonly data: string;
}

/** By the name of the data set, as the training command takes it. */
export const PATCH_TASKS: Readonly<Record<string, PatchTask>> = {
  mnist: {
    name: 'power-mnist-vit',
    task: 'image-classification',
    recipe: MNIST_RECIPE,
    read: mnistSplit,
    card: {
      purpose: 'Reads a handwritten digit.',
      input: '28 rows of 28 pixels, 0 (paper) to 255 (ink), one centred digit',
      split: "a stratified tenth of MNIST's training digits that training never saw",
      limits:
        'For showing and measuring encrypted inference on images. It names a digit for any picture, also one that holds none, and expects digits centred and scaled as those of\nMNIST; its scores are no calibrated probabilities.',
      data: 'Trained on the training digits of [MNIST](http://yann.lecun.com/exdb/mnist/) (LeCun, Cortes, Burges; a remix of NIST Special Databases 1 and 3, which are works of the US\ngovernment). The weights are under Apache-2.0.',
    },
  },
};
