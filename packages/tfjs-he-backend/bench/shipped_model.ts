import { readFile } from 'node:fs/promises';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

const FOLDER = new URL('../../he-models/models/', import.meta.url);
/** Registers the layers of shipped models. By name, since nothing in this package depends on it. */
const LAYERS = 'tfjs-power-softmax';

export const SHIPPED_MODEL = 'power-banking77';

/** The polynomial model of he-models, from its files in this repository. */
export async function shippedModel(): Promise<{ readonly model: LayersModel; readonly inputShape: readonly number[] }> {
  await import(LAYERS);
  const file = (name: string): Promise<Buffer> => readFile(new URL(`${SHIPPED_MODEL}/${name}`, FOLDER));
  const { modelTopology, weightsManifest }: StoredModel = JSON.parse((await file('model.json')).toString());
  const { inputShape }: { inputShape: number[] } = JSON.parse((await file('he.json')).toString());
  const weightData = Uint8Array.from(await file('weights.bin')).buffer;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  return { model: await loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData })), inputShape };
}

interface StoredModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights: io.WeightsManifestEntry[] }[];
}
