import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import 'tfjs-power-softmax';
import { parseJson, verifiedBytes } from './assets.js';
import type { FileDigest, HeMetadata } from './config.js';
import { loadFiles } from './registry.js';

/** The server's part of a pretrained model. */
export interface ServerModel {
  /** Polynomial form: `[batch, tokens, features]` to logits `[batch, labels]`. Dispose it after use. */
  readonly model: LayersModel;
  readonly he: HeMetadata;
}

/** Topology and weight manifest as tfjs writes them. */
interface StoredModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly weights: io.WeightsManifestEntry[] }[];
}

/**
 * Loads the polynomial model into the current tfjs backend; set one up first, e.g. by importing `@tensorflow/tfjs-backend-cpu`.
 *
 * @param files digests from the model's config
 * @throws UnknownModelError, AssetError
 */
export async function serverFromPretrained(name: string, digests: Readonly<Record<string, FileDigest>>): Promise<ServerModel> {
  const files = await loadFiles(name, 'server');
  const { modelTopology, weightsManifest } = parseJson<StoredModel>(verifiedBytes(files, 'model.json', digests));
  const model = await loadLayersModel(
    io.fromMemory({
      modelTopology,
      weightSpecs: weightsManifest.flatMap(({ weights }) => weights),
      weightData: verifiedBytes(files, 'weights.bin', digests).buffer,
    }),
  );
  return { model, he: parseJson<HeMetadata>(verifiedBytes(files, 'he.json', digests)) };
}
