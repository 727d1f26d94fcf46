import { readFile } from 'node:fs/promises';
import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import type { CostEngine, Program } from 'tfjs-he-backend';

const FOLDER = new URL('../../he-models/models/', import.meta.url);
/** Registers the layers of shipped models. By name, since nothing in this package depends on it. */
const LAYERS = 'tfjs-power-softmax';
const HE_MODELS = 'he-models/server';

export const SHIPPED_MODEL = 'power-banking77';

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

/** Every model of he-models as its server runs it: of a language model, the program of one token. By name, as above; it must have been built. */
export async function shippedPrograms(engine: CostEngine): Promise<{ readonly name: string; readonly program: Program }[]> {
  const { PRETRAINED_NAMES, programFromPretrained }: HeModels = await import(HE_MODELS);
  const programs: { name: string; program: Program }[] = [];
  for (const name of PRETRAINED_NAMES) programs.push({ name, program: await programFromPretrained(name, { engine }) });
  return programs;
}

interface HeModels {
  readonly PRETRAINED_NAMES: readonly string[];
  readonly programFromPretrained: (name: string, options: { engine: CostEngine }) => Promise<Program>;
}

interface StoredModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights: io.WeightsManifestEntry[] }[];
}
