import { UnknownTaskError } from '../errors.js';
import { type LoadOptions, openModel } from '../hub/model_files.js';
import { loadGenerationEncoder } from '../use/generation_encoder.js';
import { CLIENT_BUNDLES } from './client_bundles.js';
import { type GenerationConfig, type ModelConfig, type TextConfig, takesArrays } from './config.js';
import { loadTextEncoder, type TextEncoder } from './text_encoder.js';

/** The text classifiers of this package, whose configurations tell how they were trained and how accurate they are. */
export type TextClassifierName = 'power-banking77' | 'power-sst2';

/** The client's part of a pretrained text model: everything that runs in the clear before encryption and after decryption. */
export interface ClientModel<Config extends TextConfig | GenerationConfig = ModelConfig> extends TextEncoder {
  readonly config: Config;
  /** Names of the logits, in order. */
  readonly labels: readonly string[];
}

/**
 * Loads tokenizer, embedding and labels of a text model, without the server's weights; a model of this package without a network. Needs no
 * tfjs.
 *
 * @param name e.g. `power-banking77`; a folder (Node), a URL or `owner/name` of a model in this package's format
 * @throws UnknownModelError, UnknownTaskError for a model of arrays, ModelUnavailableError, AssetError
 */
export function clientFromPretrained(name: TextClassifierName, options?: LoadOptions): Promise<ClientModel>;
export function clientFromPretrained(name: string | URL, options?: LoadOptions): Promise<ClientModel<TextConfig | GenerationConfig>>;
export async function clientFromPretrained(name: string | URL, options?: LoadOptions): Promise<ClientModel<TextConfig | GenerationConfig>> {
  const files = await openModel(name, CLIENT_BUNDLES, options);
  const { config } = files;
  if (takesArrays(config)) {
    throw new UnknownTaskError(`${config.name} is for ${config.task}, not for texts: use HeModelClient or pipeline.`, {
      task: config.task,
    });
  }
  const load = config.task === 'text-generation' ? loadGenerationEncoder(files, config) : loadTextEncoder(files, config);
  const { inputShape, tokenize, embed } = await load;
  return { config, labels: config.labels, inputShape, tokenize, embed };
}
