import type { LayersModel } from '@tensorflow/tfjs-layers';
import { AssetError, UnknownTaskError } from '../errors.js';
import { type LoadOptions, type ModelFiles, openModel } from '../hub/model_files.js';
import type { FileDigest, HeMetadata } from './config.js';
import { readHe } from './parse_he.js';
import { SERVER_BUNDLES } from './server_bundles.js';
import { loadStoredModel } from './stored_model.js';

/** The server's part of a pretrained model. */
export interface ServerModel {
  /** Polynomial form: `[batch, tokens, features]` to logits `[batch, labels]`. Dispose it after use. */
  readonly model: LayersModel;
  readonly he: HeMetadata;
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
  const [need] = (await readHe(files)).needs ?? [];
  if (need === undefined) return loadServerModel(files);
  throw new UnknownTaskError(`${files.name} is no polynomial yet and runs with fhe: 'disable' only. What it needs first: ${need}.`, {
    model: files.name,
  });
}

/** Loads topology, all weight shards and the metadata. @throws AssetError, ModelUnavailableError */
export async function loadServerModel(files: ModelFiles): Promise<ServerModel> {
  const he = await readHe(files);
  return { model: await loadStoredModel(files.file), he };
}
