import { Tokenizer } from '@huggingface/tokenizers';
import { EmptyTextError, InputError, TextTooLongError } from '../errors.js';
import type { ModelFiles } from '../hub/model_files.js';
import { BEGIN_TOKEN, type BytePairTokenizerJson } from '../llama/tokenizer.js';
import { parseJson } from '../pretrained/assets.js';
import type { GenerationConfig } from '../pretrained/config.js';
import { splitFloats } from '../pretrained/split_floats.js';
import type { InputEncoder, ModelInput } from './encoder.js';

/** The piece of the byte 0x20; those of bytes follow three specials. */
const SPACE = 3 + 0x20;

/**
 * The client's part of a language model: tokens, the begin token first, and their rows of the embedding. Takes texts, and arrays of tokens as they
 * are. Places after the last token hold the tokens again from the first one on: tokens before them, which see nothing behind, do not depend on them, and
 * values stay in the ranges of texts.
 *
 * @throws AssetError, ModelUnavailableError
 */
export async function loadGenerationEncoder(files: ModelFiles, { name, embedding, special }: GenerationConfig): Promise<InputEncoder> {
  const { vocabularySize, features, maxTokens } = embedding;
  const [table] = splitFloats(await files.file('embedding.bin'), [vocabularySize * features] as const, 'embedding.bin');
  const begin = special === undefined ? BEGIN_TOKEN : special.begin;
  const tokenizer = new Tokenizer(parseJson<BytePairTokenizerJson>(await files.file('tokenizer.json'), 'tokenizer.json'), {});
  const fitting = (ids: readonly number[], truncate: boolean): readonly number[] => {
    if (ids.length <= maxTokens) return ids;
    // The last ones are those that a continuation depends on most.
    if (truncate) return ids.slice(-maxTokens);
    throw new TextTooLongError(`The text has ${ids.length} tokens and ${name} takes ${maxTokens}: shorten it.`, {
      tokens: ids.length,
      maxTokens,
    });
  };
  const idsOf = (input: ModelInput): readonly number[] => {
    const ids = typeof input === 'string' ? [...(begin === null ? [] : [begin]), ...tokenizer.encode(input).ids] : Array.from(input);
    if (ids.length === 0) throw new EmptyTextError('There are no tokens: give at least one.', {});
    if (ids.every((id) => Number.isInteger(id) && id >= 0 && id < vocabularySize)) return ids;
    throw new InputError(`${name} takes a text or tokens from 0 to ${vocabularySize - 1}.`, { vocabularySize });
  };
  return {
    inputShape: [1, maxTokens, features],
    tokenize: (text, { truncate = false } = {}) => {
      const ids = fitting(idsOf(text), truncate);
      return { ids, tokens: ids.map((id) => tokenizer.id_to_token(id) ?? '') };
    },
    // llama2.c's decoder takes a space off a text's beginning, which a continuation may begin with: it gets another one.
    decode: (tokens) => {
      const all = [...(special === undefined ? [SPACE] : []), ...tokens];
      // Byte-level pieces say exactly what was written; nothing is to be tidied.
      const exact = special === undefined ? {} : { clean_up_tokenization_spaces: false };
      return all.length === 0 ? '' : tokenizer.decode(all, { skip_special_tokens: true, ...exact });
    },
    embed: (input, { truncate = false } = {}) => {
      const embedded = new Float32Array(maxTokens * features);
      const ids = fitting(idsOf(input), truncate);
      for (let row = 0; row < maxTokens; row += 1) {
        const id = ids[row % ids.length] ?? 0;
        embedded.set(table.subarray(id * features, (id + 1) * features), row * features);
      }
      return embedded;
    },
  };
}
