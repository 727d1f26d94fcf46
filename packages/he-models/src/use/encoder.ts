import { InputError } from '../errors.js';
import type { ModelFiles } from '../hub/model_files.js';
import { embedPatches, type PatchWeights } from '../patches/patch_embedding.js';
import { patchLength, tokenCount } from '../patches/patch_grid.js';
import { type PatchConfig, takesArrays } from '../pretrained/config.js';
import { splitFloats } from '../pretrained/split_floats.js';
import { loadTextEncoder } from '../pretrained/text_encoder.js';
import { requireKnownText } from '../text/known_text.js';
import type { TokenizedText } from '../text/text_tokenizer.js';
import { loadGenerationEncoder } from './generation_encoder.js';

/** What a model takes: a text, the values of a signal or image, row by row in the units of its card, or the tokens of a text to be continued. */
export type ModelInput = string | ArrayLike<number>;

export interface EncodeOptions {
  /** Cuts off the tokens of a text that are too many instead of refusing it. Default false. */
  readonly truncate?: boolean;
}

/** The client's computation in the clear before encryption. */
export interface InputEncoder {
  /** Shape of what is encrypted, `[1, tokens, features]`. */
  readonly inputShape: readonly [1, number, number];
  /** Tokens of a text. @throws InputError for a model of arrays */
  readonly tokenize: (text: string, options?: EncodeOptions) => TokenizedText;
  /** Text of the tokens of a language model. @throws InputError for models of other tasks */
  readonly decode: (ids: readonly number[]) => string;
  /** @throws InputError, EmptyTextError, TextTooLongError, UnknownTextError */
  readonly embed: (input: ModelInput, options?: EncodeOptions) => Float32Array;
}

/** Loads the client's part of a model of any task. @throws AssetError, ModelUnavailableError */
export async function loadEncoder(files: ModelFiles): Promise<InputEncoder> {
  const { config } = files;
  if (takesArrays(config)) return loadPatchEncoder(files, config);
  if (config.task === 'text-generation') return loadGenerationEncoder(files, config);
  const { inputShape, tokenize, embed } = await loadTextEncoder(files, config);
  return {
    inputShape,
    tokenize,
    decode: () => noText(config.name),
    embed: (input, options) => {
      if (typeof input !== 'string') throw new InputError(`${config.name} takes a text, not ${kindOf(input)}.`, { model: config.name });
      requireKnownText(tokenize(input, options));
      return embed(input, options);
    },
  };
}

async function loadPatchEncoder(files: ModelFiles, { name, task, embedding }: PatchConfig): Promise<InputEncoder> {
  const { grid, features } = embedding;
  const [tokens, length, values] = [tokenCount(grid), patchLength(grid), grid.height * grid.width];
  const sizes = [length * features, tokens * features, features, features] as const;
  const [projection, position, gamma, beta] = splitFloats(await files.file('embedding.bin'), sizes, 'embedding.bin');
  const weights: PatchWeights = { projection, position, gamma, beta };
  return {
    inputShape: [1, tokens, features],
    tokenize: () => {
      throw new InputError(`${name} has no tokenizer: it takes ${values} numbers.`, { model: name });
    },
    decode: () => noText(name),
    embed: (input) => {
      const shape = task === 'image-classification' ? ` (${grid.height} rows of ${grid.width})` : '';
      const takes = `${name} takes ${values} finite numbers${shape}`;
      if (typeof input === 'string' || input?.length !== values) {
        throw new InputError(`${takes}, not ${kindOf(input)}.`, { model: name, values });
      }
      const wrong = Array.from(input).findIndex((value) => !Number.isFinite(value));
      if (wrong >= 0) throw new InputError(`${takes}: the value at index ${wrong} is not one.`, { model: name, index: wrong });
      return embedPatches(input, grid, weights);
    },
  };
}

function noText(model: string): never {
  throw new InputError(`${model} writes no text: its outputs are labels.`, { model });
}

/** In words; also what callers without types may pass. */
function kindOf(input: unknown): string {
  if (typeof input === 'string') return 'a text';
  if (input === undefined || input === null) return 'nothing';
  if (typeof input !== 'object') return `a ${typeof input}`;
  return 'length' in input ? `${String(input.length)} values` : 'an object';
}
