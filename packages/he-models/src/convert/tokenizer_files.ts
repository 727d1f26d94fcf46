import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { AssetError, ModelUnavailableError } from '../errors.js';
import { specialToken, wordPieceTokenizerJson } from '../text/tokenizer_json.js';
import type { Architecture } from './architecture.js';
import { readIfPresent } from './weights.js';

/** A definition that `@huggingface/tokenizers` encodes with, and its tokens by their indices. */
export interface ConvertedTokenizer {
  readonly definition: object;
  /** One per row of the embedding; rows without a token are called by their number. */
  readonly pieces: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The tokenizer of a Hugging Face folder: `tokenizer.json` of WordPiece or byte-pair models as it is, otherwise made of `vocab.txt` (WordPiece) or
 * `vocab.json` and `merges.txt` (byte-level byte pairs).
 *
 * @throws ModelUnavailableError if there is none, AssetError for one that cannot be read or has more tokens than the embedding has rows
 */
export async function readTokenizer(folder: string, { family, vocabulary }: Architecture): Promise<ConvertedTokenizer> {
  const json = await readJson(folder, 'tokenizer.json');
  const definition =
    json === undefined
      ? family === 'bert'
        ? await wordPieces(folder)
        : await bytePairs(folder, family)
      : { ...json, truncation: null, padding: null };
  const vocab = vocabularyOf(definition);
  const pieces = Array.from({ length: vocabulary }, (_, id) => `#${id}`);
  for (const [piece, id] of vocab) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id >= vocabulary) {
      throw new AssetError(
        `The tokenizer gives ${JSON.stringify(piece)} the index ${String(id)}, and the embedding has ${vocabulary} rows.`,
        {
          piece,
          vocabulary,
        },
      );
    }
    pieces[id] = piece;
  }
  try {
    new Tokenizer(definition, {}).encode('a');
  } catch (error) {
    throw new AssetError(`The tokenizer cannot be read: ${error instanceof Error ? error.message : String(error)}.`, { folder });
  }
  return { definition, pieces };
}

/** Pieces of the model and of the added tokens, with their indices. @throws AssetError */
function vocabularyOf({ model, added_tokens: added }: Fields): readonly (readonly [string, unknown])[] {
  const { type, vocab } = fieldsOf(model);
  if ((type !== 'WordPiece' && type !== 'BPE') || typeof vocab !== 'object' || vocab === null) {
    throw new AssetError(`tokenizer.json is of the type ${String(type)}: those that can be converted are WordPiece, BPE.`, {
      type: String(type),
    });
  }
  const tokens = Array.isArray(added) ? added.map(fieldsOf) : [];
  return [...Object.entries(vocab), ...tokens.map(({ content, id }) => [String(content), id] as const)];
}

/** BERT's tokenizer; uncased unless `tokenizer_config.json` says otherwise. */
async function wordPieces(folder: string): Promise<Fields> {
  const text = await requireText(folder, 'vocab.txt');
  const vocabulary = text.replace(/\r?\n$/, '').split(/\r?\n/);
  const { do_lower_case: lowercase = true } = (await readJson(folder, 'tokenizer_config.json')) ?? {};
  const special = idsOf(['[PAD]', '[UNK]', '[CLS]', '[SEP]'], 'vocab.txt', (token) => vocabulary.indexOf(token));
  const definition = wordPieceTokenizerJson(vocabulary);
  return {
    ...definition,
    added_tokens: special.map(([token, id]) => specialToken(token, id)),
    normalizer: { ...definition.normalizer, lowercase: lowercase !== false },
    post_processor: { type: 'BertProcessing', cls: special[2], sep: special[3] },
  };
}

/** Byte-level byte pairs (Radford et al. 2019), between `<s>` and `</s>` for RoBERTa. */
async function bytePairs(folder: string, family: 'roberta' | 'gpt_neox'): Promise<Fields> {
  const vocab = await readJson(folder, 'vocab.json');
  if (vocab === undefined) throw missing(folder, 'vocab.json and merges.txt');
  const merges = (await requireText(folder, 'merges.txt'))
    .split(/\r?\n/)
    .filter((line) => line !== '' && !line.startsWith('#version'))
    .map((line) => line.split(' '));
  const unsound = merges.find((pair) => pair.length !== 2 || !Object.hasOwn(vocab, pair.join('')));
  if (unsound !== undefined) {
    throw new AssetError(`merges.txt merges ${JSON.stringify(unsound.join(' '))}, which vocab.json does not have.`, { file: 'merges.txt' });
  }
  const roberta = family === 'roberta';
  const names = roberta ? ['<s>', '</s>', '<unk>', '<pad>'] : ['<|endoftext|>'];
  const special = idsOf(names, 'vocab.json', (token) => Number(Object.hasOwn(vocab, token) ? vocab[token] : -1));
  const bytes = { add_prefix_space: false, trim_offsets: true };
  return {
    version: '1.0',
    added_tokens: special.map(([token, id]) => specialToken(token, id)),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', ...bytes, use_regex: true },
    post_processor: roberta ? { type: 'RobertaProcessing', cls: special[0], sep: special[1], ...bytes } : null,
    decoder: { type: 'ByteLevel', ...bytes },
    model: { type: 'BPE', unk_token: roberta ? '<unk>' : null, fuse_unk: false, byte_fallback: false, vocab, merges },
  };
}

/** @throws AssetError for a token that the vocabulary lacks */
function idsOf(tokens: readonly string[], file: string, idOf: (token: string) => number): readonly (readonly [string, number])[] {
  return tokens.map((token) => {
    const id = idOf(token);
    if (id < 0) throw new AssetError(`${file} lacks the token ${token}.`, { file, token });
    return [token, id];
  });
}

async function readJson(folder: string, file: string): Promise<Fields | undefined> {
  const bytes = await readIfPresent(join(folder, file));
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return fieldsOf(value);
  } catch {
    // refused below
  }
  throw new AssetError(`${file} is no JSON object: get it again.`, { file });
}

async function requireText(folder: string, file: string): Promise<string> {
  const bytes = await readIfPresent(join(folder, file));
  if (bytes === undefined) throw missing(folder, file);
  return new TextDecoder().decode(bytes);
}

function missing(folder: string, file: string): ModelUnavailableError {
  return new ModelUnavailableError(`${folder} has no tokenizer: neither tokenizer.json nor ${file}.`, { folder });
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
