import type { BundledFiles } from './assets.js';

/** Names of the models that are part of this package. */
export const PRETRAINED_NAMES = ['power-banking77', 'power-ecg', 'power-mnist-vit', 'power-sst2', 'power-stories-260k'] as const;

export type PretrainedName = (typeof PRETRAINED_NAMES)[number];

/** One half of each model of this package, `config.json` among its files, imported on demand. */
export type Bundles = Readonly<Record<PretrainedName, () => Promise<{ readonly default: BundledFiles }>>>;
