import { Tokenizer } from '@huggingface/tokenizers';
import { EmptyTextError, TextTooLongError } from '../errors.js';
import type { TokenizerJson } from './tokenizer_json.js';

/** A text as the model sees it. */
export interface TokenizedText {
  /** Vocabulary indices, one per token, unpadded; between 1 and the model's token limit. */
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

export interface TokenizeOptions {
  /** Cuts off the tokens that are too many, as training does, instead of refusing the text. Default false. */
  readonly truncate?: boolean;
}

/** @throws EmptyTextError, TextTooLongError */
export type TextTokenizer = (text: string, options?: TokenizeOptions) => TokenizedText;

/** Tokenizer of one model. @param maxTokens number of tokens the model takes */
export function textTokenizer(definition: TokenizerJson, maxTokens: number): TextTokenizer {
  const tokenizer = new Tokenizer(definition, {});
  return (text, { truncate = false } = {}) => {
    const { ids, tokens } = tokenizer.encode(text);
    const count = ids.length;
    if (count === 0) throw new EmptyTextError('The text is empty: write at least one word.', { characters: text.length });
    if (count > maxTokens && !truncate) {
      throw new TextTooLongError(`The text has ${count} tokens and the model takes ${maxTokens}: shorten it.`, {
        tokens: count,
        maxTokens,
      });
    }
    return { ids: ids.slice(0, maxTokens), tokens: tokens.slice(0, maxTokens) };
  };
}
