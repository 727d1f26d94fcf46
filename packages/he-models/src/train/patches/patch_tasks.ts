import { ecgSplit } from '../../data/ecg.js';
import { type ArraySplit, mnistSplit } from '../../data/mnist.js';
import type { PatchConfig } from '../../pretrained/config.js';
import { ECG_SIZES } from './ecg_sizes.js';
import type { PatchRecipe } from './patch_recipe.js';
import { ECG_RECIPE, ECG_TRIED, MNIST_RECIPE } from './patch_recipes.js';

/** A model of arrays that this package trains. */
export interface PatchTask {
  /** Name of the model. */
  readonly name: string;
  readonly task: PatchConfig['task'];
  readonly recipe: PatchRecipe;
  /** Others that were tried, by the name that `train --recipe` takes; the card compares. */
  readonly tried?: Readonly<Record<string, PatchRecipe>>;
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
  /** What the recipe was chosen by. */
  readonly choice: string;
  /** Section on sizes that were tried, without its heading. */
  readonly sizes?: string;
  readonly limits: string;
  readonly data: string;
}

/** By the name of the data set, as the training command takes it. */
export const PATCH_TASKS: Readonly<Record<string, PatchTask>> = {
  ecg: {
    name: 'power-ecg',
    task: 'signal-classification',
    recipe: ECG_RECIPE,
    tried: ECG_TRIED,
    read: ecgSplit,
    card: {
      purpose:
        'Sorts a heartbeat of an electrocardiogram into the AAMI classes N (normal), S (supraventricular), V (ventricular), F (fusion) and Q (unknown).',
      input: '128 samples of one lead at 180 Hz in ADC units of the MIT-BIH recordings (200 per mV), baseline removed, R peak at sample 48',
      split: 'every beat of every fourth record: no patient is in both parts',
      choice:
        'Sizes were compared on the development part (see below), so expect slightly less on new examples; of the seeds 1 to 3 that with the lowest training loss is shipped.',
      sizes: ECG_SIZES,
      limits:
        'For showing and measuring encrypted inference on signals. It is no medical device and must not be used on patients. It sees one beat and not the distance to its neighbours, by\nwhich supraventricular beats are told, and finds few of them; nearly all fusion beats of the data are of one patient, who is in the development part, so it does not know them; there\nare 8 beats of class Q in all. Its scores are no calibrated probabilities.',
      data: 'Trained on beats of the [MIT-BIH Arrhythmia Database](https://physionet.org/content/mitdb/) (Moody and Mark 2001; PhysioNet, ODC-BY 1.0), the 22 records of DS1 of de Chazal et al. 2004.\nThe weights are under Apache-2.0.',
    },
  },
  mnist: {
    name: 'power-mnist-vit',
    task: 'image-classification',
    recipe: MNIST_RECIPE,
    read: mnistSplit,
    card: {
      purpose: 'Reads a handwritten digit.',
      input: '28 rows of 28 pixels, 0 (paper) to 255 (ink), one centred digit',
      split: "a stratified tenth of MNIST's training digits that training never saw",
      choice: 'The development part also served to choose the recipe, so expect slightly less on new examples.',
      limits:
        'For showing and measuring encrypted inference on images. It names a digit for any picture, also one that holds none, and expects digits centred and scaled as those of\nMNIST; its scores are no calibrated probabilities.',
      data: 'Trained on the training digits of [MNIST](http://yann.lecun.com/exdb/mnist/) (LeCun, Cortes, Burges; a remix of NIST Special Databases 1 and 3, which are works of the US\ngovernment). The weights are under Apache-2.0.',
    },
  },
};
