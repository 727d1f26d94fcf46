import { io } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import 'tfjs-power-softmax';
import { AssetError, UnknownTaskError } from '../errors.js';
import { type LoadOptions, type ModelFiles, openModel } from '../hub/model_files.js';
import { parseJson } from './assets.js';
import type { FileDigest, HeMetadata } from './config.js';
import { SERVER_BUNDLES } from './server_bundles.js';

/** The server's part of a pretrained model. */
export interface ServerModel {
  /** Polynomial form: `[batch, tokens, features]` to logits `[batch, labels]`. Dispose it after use. */
  readonly model: LayersModel;
  readonly he: HeMetadata;
}

/** Topology and weight manifest as tfjs writes them. */
interface StoredModel {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: io.WeightsManifestEntry[] }[];
}

/**
 * Loads the polynomial model into the current tfjs backend; set one up first, e.g. by importing `@tensorflow/tfjs-backend-cpu`.
 *
 * @param digests of the files, as the client's configuration has them; default: those of the model's own
 * @throws UnknownModelError, ModelUnavailableError, AssetError
 */
export async function serverFromPretrained(
  name: string | URL,
  digests?: Readonly<Record<string, FileDigest>>,
  options?: LoadOptions,
): Promise<ServerModel> {
  const files = await openModel(name, SERVER_BUNDLES, options);
  if (digests === undefined) return loadServerModel(files);
  for (const [file, { sha256 }] of Object.entries(files.config.files)) {
    if (digests[file]?.sha256 !== sha256) {
      throw new AssetError(`The model's file ${file} differs from the digest asked for: use one version on both sides.`, { file });
    }
  }
  return loadServerModel(files);
}

/**
 * The same of a model that is to run encrypted.
 *
 * @throws AssetError, ModelUnavailableError, UnknownTaskError for one that is no polynomial yet, with the first step to it
 */
export async function loadPolynomialModel(files: ModelFiles): Promise<ServerModel> {
  const [need] = parseJson<HeMetadata>(await files.file('he.json'), 'he.json').needs ?? [];
  if (need === undefined) return loadServerModel(files);
  throw new UnknownTaskError(`${files.name} is no polynomial yet and runs with fhe: 'disable' only. What it needs first: ${need}.`, {
    model: files.name,
  });
}

/** Loads topology, all weight shards and the metadata. @throws AssetError, ModelUnavailableError */
export async function loadServerModel(files: ModelFiles): Promise<ServerModel> {
  const he = parseJson<HeMetadata>(await files.file('he.json'), 'he.json');
  const { modelTopology, weightsManifest } = parseJson<StoredModel>(await files.file('model.json'), 'model.json');
  const shards: ArrayBuffer[] = [];
  for (const path of weightsManifest.flatMap(({ paths }) => paths)) shards.push((await files.file(path)).buffer);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const model = await loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData: io.CompositeArrayBuffer.join(shards) }));
  return { model, he };
}
