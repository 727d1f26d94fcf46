import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import 'tfjs-power-softmax';
import { AssetError } from '../errors.js';
import { parseJson } from './assets.js';

/** Topology and weight manifest as tfjs writes them. */
interface StoredModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: io.WeightsManifestEntry[] }[];
}

/**
 * Loads a `LayersModel` from `model.json` and the shards that it names, into the current tfjs backend.
 *
 * @param read content of a file
 * @throws AssetError for files that hold no model, and what `read` throws
 */
export async function loadStoredModel(read: (file: string) => Promise<Uint8Array<ArrayBuffer>>): Promise<LayersModel> {
  const { modelTopology, weightsManifest } = parseStored(parseJson<unknown>(await read('model.json'), 'model.json'));
  const shards: ArrayBuffer[] = [];
  for (const path of weightsManifest.flatMap(({ paths }) => paths)) shards.push((await read(path)).buffer);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const weightData = io.CompositeArrayBuffer.join(shards);
  return loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData })).catch((error: unknown) => {
    throw notLoadable(error instanceof Error ? error.message : String(error));
  });
}

/** @throws AssetError unless there are a topology and a manifest of shards; tfjs checks what they hold */
function parseStored(value: unknown): StoredModel {
  if (typeof value === 'object' && value !== null && 'modelTopology' in value && 'weightsManifest' in value) {
    const { modelTopology, weightsManifest } = value;
    if (typeof modelTopology === 'object' && modelTopology !== null && Array.isArray(weightsManifest) && weightsManifest.every(isGroup)) {
      return { modelTopology, weightsManifest };
    }
  }
  throw notLoadable('it has no topology or no manifest of weights');
}

function isGroup(value: unknown): value is StoredModel['weightsManifest'][number] {
  if (typeof value !== 'object' || value === null || !('paths' in value) || !('weights' in value)) return false;
  const { paths, weights } = value;
  return Array.isArray(paths) && paths.every((path) => typeof path === 'string') && Array.isArray(weights);
}

function notLoadable(reason: string): AssetError {
  const [sentence = ''] = reason.split(/\.\s|\.$|\n/);
  return new AssetError(`model.json is no LayersModel that tfjs can load (${sentence}): save or get the model again.`, {
    file: 'model.json',
  });
}
