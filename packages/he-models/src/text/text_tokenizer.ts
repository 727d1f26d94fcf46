import { Tokenizer } from '@huggingface/tokenizers';
import { EmptyTextError, TextTooLongError } from '../errors.js';
import type { TokenizerJson } from './tokenizer_json.js';

/** A text as the model sees it. */
export interface TokenizedText {
  /** Vocabulary indices, one per token, unpadded; between 1 and the model's token limit. Those that every text gets are among them. */
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
    // Tokens that frame every text, as [CLS] and [SEP] do, are neither a text nor what is cut off.
    const words = definition.post_processor === null ? ids : tokenizer.encode(text, { add_special_tokens: false }).ids;
    if (words.length === 0) throw new EmptyTextError('The text is empty: write at least one word.', { characters: text.length });
    if (count > maxTokens && !truncate) {
      throw new TextTooLongError(`The text has ${count} tokens and the model takes ${maxTokens}: shorten it.`, {
        tokens: count,
        maxTokens,
      });
    }
    const before = ids.findIndex((_: number, at: number) => words.every((word: number, k: number) => ids[at + k] === word));
    const after = Math.max(0, count - words.length - Math.max(0, before));
    const fitting = <T>(all: readonly T[]): readonly T[] =>
      count <= maxTokens ? all : [...all.slice(0, Math.max(0, maxTokens - after)), ...all.slice(count - after)];
    return { ids: fitting(ids), tokens: fitting(tokens) };
  };
}
