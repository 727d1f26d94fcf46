import { enableProdMode, ready, Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type LoadOptions, openModel } from '../hub/model_files.js';
import type { HeMetadata, PretrainedConfig } from '../pretrained/config.js';
import { SERVER_BUNDLES } from '../pretrained/server_bundles.js';
import { loadServerModel } from '../pretrained/server_model.js';

/** The same polynomial without encryption. */
export interface ClearModel {
  readonly config: PretrainedConfig;
  readonly he: HeMetadata;
  /** @param values embedded input, `[tokens * features]` @returns logits */
  readonly logits: (values: Float32Array) => Float32Array;
  readonly dispose: () => void;
}

/** Loads the polynomial model to run in the clear, on the current tfjs backend. @throws UnknownModelError, ModelUnavailableError, AssetError */
export async function loadClearModel(model: string | URL, options: LoadOptions = {}): Promise<ClearModel> {
  enableProdMode();
  await ready();
  const files = await openModel(model, SERVER_BUNDLES, options);
  const { model: plain, he } = await loadServerModel(files);
  return { config: files.config, he, logits: (values) => clearLogits(plain, values, he.inputShape), dispose: () => plain.dispose() };
}

/** Logits of all tokens. @param values embedded input */
export function clearLogits(model: LayersModel, values: Float32Array, shape: readonly number[]): Float32Array {
  return tidy(() => {
    const output = model.predict(tensor(values, [...shape]));
    if (!(output instanceof Tensor)) throw new TypeError(`${model.name} has several outputs.`);
    return Float32Array.from(output.dataSync());
  });
}
