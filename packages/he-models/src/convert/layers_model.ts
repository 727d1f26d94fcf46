import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import 'tfjs-power-softmax';
import { ModelUnavailableError } from '../errors.js';

/** Loads `model.json` and its weights from a folder that tfjs' `model.save` wrote. @throws ModelUnavailableError */
export async function loadLayersFolder(folder: string): Promise<LayersModel> {
  const read = async (file: string): Promise<Buffer> =>
    readFile(join(folder, file)).catch(() => {
      throw new ModelUnavailableError(`Cannot read ${join(folder, file)}: name a folder that tfjs' model.save wrote.`, { folder });
    });
  const { modelTopology, weightsManifest } = topologyOf((await read('model.json')).toString(), folder);
  const shards: ArrayBuffer[] = [];
  for (const path of weightsManifest.flatMap(({ paths }) => paths)) shards.push(Uint8Array.from(await read(path)).buffer);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  return loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData: io.CompositeArrayBuffer.join(shards) }));
}

interface Topology {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: io.WeightsManifestEntry[] }[];
}

function topologyOf(text: string, folder: string): Topology {
  try {
    const { modelTopology, weightsManifest } = JSON.parse(text);
    if (typeof modelTopology === 'object' && Array.isArray(weightsManifest)) return { modelTopology, weightsManifest };
  } catch {
    // said below
  }
  throw new ModelUnavailableError(`model.json in ${folder} is not that of a tfjs LayersModel with weights.`, { folder });
}
