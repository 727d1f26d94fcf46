import { type TextTokenizer, type TokenizeOptions, textTokenizer } from '../text/text_tokenizer.js';
import { type EmbeddingWeights, embedTokens } from '../text/token_embedding.js';
import type { TokenizerJson } from '../text/tokenizer_json.js';
import { fileBytes, floatsAt, parseJson, verifiedBytes } from './assets.js';
import type { ModelConfig } from './config.js';
import { loadFiles } from './registry.js';

/** The client's part of a pretrained model: everything that runs in the clear before encryption and after decryption. */
export interface ClientModel {
  readonly config: ModelConfig;
  /** Names of the logits, in order. */
  readonly labels: readonly string[];
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

/**
 * Loads tokenizer, embedding and labels, without the server's weights and without a network. Needs no tfjs.
 *
 * @param name e.g. `power-banking77`
 * @throws UnknownModelError, AssetError
 */
export async function clientFromPretrained(name: string): Promise<ClientModel> {
  const files = await loadFiles(name, 'client');
  const config = parseJson<ModelConfig>(fileBytes(files, 'config.json'));
  const definition = parseJson<TokenizerJson>(verifiedBytes(files, 'tokenizer.json', config.files));
  const weights = decodeEmbedding(verifiedBytes(files, 'embedding.bin', config.files), config);
  const { maxTokens, features } = config.embedding;
  const tokenize = textTokenizer(definition, maxTokens);
  return {
    config,
    labels: config.labels,
    inputShape: [1, maxTokens, features],
    tokenize,
    embed: (text, options) => embedTokens(tokenize(text, options).ids, weights),
  };
}

/** `embedding.bin`: token, position, gamma and beta, one after the other. */
function decodeEmbedding(bytes: Uint8Array, { embedding }: ModelConfig): EmbeddingWeights {
  const { vocabularySize, features, maxTokens } = embedding;
  const tokenCount = vocabularySize * features;
  const positionCount = maxTokens * features;
  const tail = tokenCount + positionCount;
  return {
    token: floatsAt(bytes, 0, tokenCount),
    position: floatsAt(bytes, tokenCount, positionCount),
    gamma: floatsAt(bytes, tail, features),
    beta: floatsAt(bytes, tail + features, features),
  };
}
