import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import type { PretrainedConfig } from '../pretrained/config.js';
import { writeTogether } from '../write_together.js';
import { type EncryptedFigures, FIGURES_FILE, figuresText, readFigures, weightsDigest } from './encrypted_figures.js';
import { withFigures } from './with_figures.js';

/** File of a model's folder. */
export const CARD_FILE = 'README.md';

/**
 * Changes what a model's folder says of encrypted runs: `encrypted.json`, and that section of its card.
 *
 * @param change of the figures so far, which are undefined where there are none of these weights
 * @throws DataError for a folder without a card, or figures that are none
 */
export async function updateCard(
  folder: string,
  config: Pick<PretrainedConfig, 'files'>,
  change: (figures: EncryptedFigures | undefined, weights: string) => EncryptedFigures,
): Promise<void> {
  const card = await readCard(folder);
  const weights = weightsDigest(config);
  const figures = change(await readFigures(join(folder, FIGURES_FILE), weights), weights);
  await writeTogether(folder, { [FIGURES_FILE]: figuresText(figures), [CARD_FILE]: withFigures(card, figures) });
}

/** @throws DataError where there is none */
export function readCard(folder: string): Promise<string> {
  return readFile(join(folder, CARD_FILE), 'utf8').catch(() => {
    throw new DataError(`There is no card ${join(folder, CARD_FILE)}: name a model's folder.`, { folder });
  });
}
