import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TrainedPatchConfig } from '../src/train/patches/patch_artefacts.js';

const models = join(dirname(dirname(fileURLToPath(import.meta.url))), 'models');

/** Configuration of a shipped model of arrays. */
export async function shippedConfig(name: string): Promise<TrainedPatchConfig> {
  return JSON.parse(await readFile(join(models, name, 'config.json'), 'utf8'));
}

export function shippedCard(name: string): Promise<string> {
  return readFile(join(models, name, 'README.md'), 'utf8');
}
