import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../errors.js';
import { parseLlamaCheckpoint } from '../llama/checkpoint.js';
import { sampleTexts } from '../llama/sample.js';
import { STORIES_RECIPE } from '../train/stories/story_recipe.js';

const FILE = 'stories260K.bin';

/**
 * Text that stories260K writes under a seed not used for training, as the card's losses are measured on, in windows of the model's context: tokens.
 *
 * @param directory holds `stories260k/stories260K.bin`, or this file
 * @throws DataError without it, AssetError where it is no checkpoint
 */
export async function heldOutStories(directory: string): Promise<readonly (readonly number[])[]> {
  const paths = [join(directory, 'stories260k', FILE), join(directory, FILE)];
  const [bytes] = (await Promise.all(paths.map((path) => readFile(path).catch(() => undefined)))).filter((found) => found !== undefined);
  if (bytes === undefined) throw new DataError(`No ${paths.join(' or ')}: see the README for what the data folder holds.`, { paths });
  const { heldOutTokens, seed, tokens } = STORIES_RECIPE;
  const text = (await sampleTexts(parseLlamaCheckpoint(bytes, FILE), heldOutTokens, seed + 1)).flatMap((ids) => [...ids]);
  return Array.from({ length: Math.floor((text.length - 1) / tokens) }, (_, window) => text.slice(window * tokens, (window + 1) * tokens));
}
