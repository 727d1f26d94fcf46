import { AssetError, UnknownTaskError } from '../errors.js';
import { type LoadOptions, type ModelFiles, openModel } from '../hub/model_files.js';
import { type TextTokenizer, type TokenizeOptions, textTokenizer } from '../text/text_tokenizer.js';
import { type EmbeddingWeights, embedTokens } from '../text/token_embedding.js';
import type { TokenizerJson } from '../text/tokenizer_json.js';
import { parseJson } from './assets.js';
import { CLIENT_BUNDLES } from './client_bundles.js';
import { type ModelConfig, type TextConfig, takesArrays } from './config.js';
import { splitFloats } from './split_floats.js';

/** Turns texts of one model into numbers. */
export interface TextEncoder {
  /** Shape of what is encrypted, `[1, tokens, features]`. */
  readonly inputShape: readonly [1, number, number];
  /** @throws EmptyTextError, TextTooLongError */
  readonly tokenize: TextTokenizer;
  /**
   * Embedded text, row-major `[tokens * features]`, rows of exact zeros for padding; magnitudes are below about 6.
   *
   * @throws EmptyTextError, TextTooLongError
   */
  readonly embed: (text: string, options?: TokenizeOptions) => Float32Array;
}

/** The client's part of a pretrained text model: everything that runs in the clear before encryption and after decryption. */
export interface ClientModel extends TextEncoder {
  readonly config: ModelConfig;
  /** Names of the logits, in order. */
  readonly labels: readonly string[];
}

/**
 * Loads tokenizer, embedding and labels of a text model, without the server's weights; a model of this package without a network. Needs no
 * tfjs.
 *
 * @param name e.g. `power-banking77`; a folder, a URL or `owner/name` of a model that the training command wrote
 * @throws UnknownModelError, UnknownTaskError, ModelUnavailableError, AssetError
 */
export async function clientFromPretrained(name: string, options?: LoadOptions): Promise<ClientModel> {
  const files = await openModel(name, CLIENT_BUNDLES, options);
  const { config } = files;
  if (takesArrays(config) || config.task === 'text-generation') {
    throw new UnknownTaskError(`${config.name} is for ${config.task}, not for classes of texts: use HeModelClient or pipeline.`, {
      task: config.task,
    });
  }
  if (!wasTrainedHere(config)) {
    throw new AssetError(`config.json of ${config.name} lacks recipe or accuracy: use HeModelClient or pipeline.`, { file: 'config.json' });
  }
  return { config, labels: config.labels, ...(await loadTextEncoder(files, config)) };
}

function wasTrainedHere(config: TextConfig): config is ModelConfig {
  return 'recipe' in config && 'accuracy' in config && 'parameters' in config;
}

/** @throws AssetError, ModelUnavailableError */
export async function loadTextEncoder(files: ModelFiles, { embedding }: TextConfig): Promise<TextEncoder> {
  const { vocabularySize, features, maxTokens, normEpsilon } = embedding;
  const definition = parseJson<TokenizerJson>(await files.file('tokenizer.json'), 'tokenizer.json');
  const sizes = [vocabularySize * features, maxTokens * features, features, features] as const;
  const [token, position, gamma, beta] = splitFloats(await files.file('embedding.bin'), sizes, 'embedding.bin');
  const weights: EmbeddingWeights = { token, position, gamma, beta };
  const tokenize = textTokenizer(definition, maxTokens);
  return {
    inputShape: [1, maxTokens, features],
    tokenize,
    embed: (text, options) => embedTokens(tokenize(text, options).ids, weights, normEpsilon),
  };
}
