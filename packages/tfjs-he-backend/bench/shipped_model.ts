import { readFile } from 'node:fs/promises';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';

const FOLDER = new URL('../../he-models/models/', import.meta.url);
/** Registers the layers of shipped models. By name, since nothing in this package depends on it. */
const LAYERS = 'tfjs-power-softmax';

export const SHIPPED_MODEL = 'power-banking77';
export const SHIPPED_MODELS: readonly string[] = [SHIPPED_MODEL, 'power-ecg', 'power-mnist-vit'];

export interface ShippedModel {
  readonly model: LayersModel;
  readonly inputShape: readonly number[];
  /** What it is compiled with where it is served. */
  readonly options: {
    readonly inputShape: readonly number[];
    readonly securityBits: 128;
    readonly precisionBits: number;
    readonly valueBits: number;
  };
}

/** A polynomial model of he-models, from its files in this repository. */
export async function shippedModel(name = SHIPPED_MODEL): Promise<ShippedModel> {
  await import(LAYERS);
  const file = (path: string): Promise<Buffer> => readFile(new URL(`${name}/${path}`, FOLDER));
  const { modelTopology, weightsManifest }: StoredModel = JSON.parse((await file('model.json')).toString());
  const { inputShape, parameters }: Pick<ShippedModel, 'inputShape'> & { parameters: Omit<ShippedModel['options'], 'inputShape'> } =
    JSON.parse((await file('he.json')).toString());
  const weightData = Uint8Array.from(await file('weights.bin')).buffer;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const model = await loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData }));
  return { model, inputShape, options: { inputShape, ...parameters } };
}

interface StoredModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights: io.WeightsManifestEntry[] }[];
}
