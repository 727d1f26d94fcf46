import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { ModelUnavailableError } from '../errors.js';
import { loadStoredModel } from '../pretrained/stored_model.js';

/** Loads `model.json` and its weights from a folder that tfjs' `model.save` wrote. @throws ModelUnavailableError, AssetError */
export function loadLayersFolder(folder: string): Promise<LayersModel> {
  return loadStoredModel(async (file) => {
    const bytes = await readFile(join(folder, file)).catch(() => {
      throw new ModelUnavailableError(`Cannot read ${join(folder, file)}: name a folder that tfjs' model.save wrote.`, { folder });
    });
    return Uint8Array.from(bytes);
  });
}
