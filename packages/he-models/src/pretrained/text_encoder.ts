import type { ModelFiles } from '../hub/model_files.js';
import { type TextTokenizer, type TokenizeOptions, textTokenizer } from '../text/text_tokenizer.js';
import { type EmbeddingWeights, embedTokens } from '../text/token_embedding.js';
import type { TokenizerJson } from '../text/tokenizer_json.js';
import { parseJson } from './assets.js';
import type { TextConfig } from './config.js';
import { splitFloats } from './split_floats.js';

/** Turns texts of one model into numbers. */
export interface TextEncoder {
  /** Shape of what is encrypted, `[1, tokens, features]`. */
  readonly inputShape: readonly [1, number, number];
  /** @throws EmptyTextError, TextTooLongError */
  readonly tokenize: TextTokenizer;
  /**
   * Embedded text, row-major `[tokens * features]`. Of a classifier padding is rows of exact zeros, and magnitudes are a few units.
   *
   * @throws EmptyTextError, TextTooLongError
   */
  readonly embed: (text: string, options?: TokenizeOptions) => Float32Array;
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
