import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { AssetError, ModelUnavailableError } from '../errors.js';
import { parseJson } from '../pretrained/assets.js';
import type { GenerationConfig, TextConfig } from '../pretrained/config.js';
import { digestsOf, jsonBytes, serialiseModel } from '../train/model_folder.js';
import type { InputEncoder } from '../use/encoder.js';
import { writeTogether } from '../write_together.js';
import { loadLayersFolder } from './layers_model.js';
import { openTextFolder } from './polynomial_folder.js';

/** A converted model with what its training needs. */
export interface Trainable extends Pick<InputEncoder, 'embed'> {
  readonly config: TextConfig | GenerationConfig;
  /** From embedded texts `[batch, tokens, features]` to logits, in the current tfjs backend. Dispose it after use. */
  readonly model: LayersModel;
  /** Shape of an embedded text, `[tokens, features]`. */
  readonly inputShape: readonly [number, number];
  /** Writes the model's weights as they are now to its folder, all files or none. The embedding stays as it was. */
  readonly save: () => Promise<void>;
}

/**
 * Opens a folder that `he-models convert` made, to train its model with tfjs (Node only). Set up a tfjs backend first.
 *
 * @throws ModelUnavailableError, AssetError, UnknownTaskError for a model of arrays
 */
export async function openTrainable(folder: string): Promise<Trainable> {
  const { config, embed } = await openTextFolder(folder);
  const model = await loadLayersFolder(folder);
  const { maxTokens, features } = config.embedding;
  return {
    config,
    embed,
    model,
    inputShape: [maxTokens, features],
    save: async () => {
      // Read again: a save before this one has changed it.
      const current = parseJson<TextConfig | GenerationConfig>(await readConfig(folder), 'config.json');
      const { modelJson, weights } = await serialiseModel(model);
      const contents = { 'model.json': jsonBytes(modelJson), 'weights.bin': weights };
      if (current.name !== config.name) throw new AssetError(`${folder} holds another model by now: ${current.name}.`, { folder });
      const files = { ...current.files, ...digestsOf(contents) };
      await writeTogether(folder, { ...contents, 'config.json': jsonBytes({ ...current, files }) });
    },
  };
}

async function readConfig(folder: string): Promise<Uint8Array> {
  return readFile(join(folder, 'config.json')).catch(() => {
    throw new ModelUnavailableError(`Cannot read config.json of ${folder}, which was there before.`, { folder });
  });
}
