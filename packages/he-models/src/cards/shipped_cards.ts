import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HeMetadata, PretrainedConfig } from '../pretrained/config.js';
import type { PretrainedName } from '../pretrained/registry.js';
import { BANKING77_CARD, modelCard } from '../train/card.js';
import { digestsOf, jsonBytes } from '../train/model_folder.js';
import { patchCard } from '../train/patches/patch_card.js';
import { PATCH_TASKS } from '../train/patches/patch_tasks.js';
import { SST2_MODEL } from '../train/sst2/run_sst2.js';
import { storyCard } from '../train/stories/story_card.js';
import type { PlanFigures } from '../use/plan_figures.js';
import { CARD_FILE } from './card_files.js';
import { type EncryptedFigures, FIGURES_FILE, figuresText, readFigures, weightsDigest } from './encrypted_figures.js';
import { withFigures } from './with_figures.js';

/** Card of a model whose `config.json` is as its training command wrote it. */
type Render = (configJson: string, he: HeMetadata) => string;

const patches =
  (dataset: string): Render =>
  (config, he) => {
    const task = PATCH_TASKS[dataset];
    if (task === undefined) throw new TypeError(`No task of arrays is called ${dataset}.`);
    return patchCard(JSON.parse(config), he, task);
  };

/** Cards but for the part on encrypted runs. */
const CARDS: Readonly<Record<PretrainedName, Render>> = {
  'power-banking77': (config, he) => modelCard(JSON.parse(config), he, BANKING77_CARD),
  'power-ecg': patches('ecg'),
  'power-mnist-vit': patches('mnist'),
  'power-sst2': (config, he) => modelCard(JSON.parse(config), he, SST2_MODEL.card),
  'power-stories-260k': (config, he) => storyCard(JSON.parse(config), he),
};

/** A model's folder: what its card follows from. */
export interface ShippedFolder {
  readonly config: PretrainedConfig;
  readonly he: HeMetadata;
  /** Undefined where there are none of these weights. */
  readonly figures: EncryptedFigures | undefined;
}

/** @throws DataError where `encrypted.json` holds something else */
export async function readShipped(folder: string): Promise<ShippedFolder> {
  const read = async (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  const config: PretrainedConfig = JSON.parse(await read('config.json'));
  const he: HeMetadata = JSON.parse(await read('he.json'));
  return { config, he, figures: await readFigures(join(folder, FIGURES_FILE), weightsDigest(config)) };
}

/** A card of this package, all of it, from what the folder says. */
export function shippedCard(name: PretrainedName, { config, he, figures }: ShippedFolder): string {
  const card = CARDS[name](JSON.stringify(config), he);
  return figures === undefined ? card : withFigures(card, figures);
}

/** The files that say what a model takes, with this plan: figures, the depth in `he.json`, and the card. Weights and their digests stay. */
export function plannedFiles(
  name: PretrainedName,
  shipped: ShippedFolder,
  plan: PlanFigures,
): Readonly<Record<string, Uint8Array | string>> {
  const figures = { ...shipped.figures, format: 1 as const, weights: weightsDigest(shipped.config), plan };
  // A language model's is that of a run over the whole context, and the plan that of a token.
  const depth = shipped.config.task === 'text-generation' ? (figures.cache?.whole.depth ?? shipped.he.depth ?? 0) : plan.depth;
  const he = { ...shipped.he, depth };
  const heBytes = jsonBytes(he);
  const config = { ...shipped.config, files: { ...shipped.config.files, ...digestsOf({ 'he.json': heBytes }) } };
  return {
    'he.json': heBytes,
    'config.json': jsonBytes(config),
    [FIGURES_FILE]: figuresText(figures),
    [CARD_FILE]: shippedCard(name, { config, he, figures }),
  };
}
