import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { banking77Split, type Question, readIfPresent } from '../data/banking77.js';
import type { Split } from '../data/stratified_split.js';
import { parseTable, type TextTable } from '../data/table.js';
import { DataError } from '../errors.js';
import { buildVocabulary } from '../text/build_vocabulary.js';
import { pruneVocabulary } from '../text/prune_vocabulary.js';
import { textTokenizer } from '../text/text_tokenizer.js';
import { PAD_TOKEN, type TokenizerJson, UNKNOWN_TOKEN, wordPieceTokenizerJson } from '../text/tokenizer_json.js';
import { type EncodedQuestions, encodeQuestions } from './batches.js';
import type { Recipe } from './recipe.js';
import { splitTable, type TableSplit } from './split_table.js';

/** Tokenised data of a run. */
export interface PreparedData {
  readonly train: EncodedQuestions;
  readonly dev: EncodedQuestions;
  /** Development questions as written. */
  readonly devTexts: readonly string[];
  /** Intents in alphabetical order; logits follow it. */
  readonly labels: readonly string[];
  readonly tokenizer: TokenizerJson;
  readonly vocabularySize: number;
  /** Token vectors to begin with. */
  readonly pretrained?: Float32Array;
  /** SHA-256 of tokens and labels of both parts. */
  readonly digest: string;
}

/**
 * Reads banking77, splits it, and builds the tokenizer from the training part alone.
 *
 * @param directory folder with banking77's `train.csv`, or the folder above it
 * @param vocabularyPath WordPiece vocabulary, one token a line
 * @throws DataError
 */
export async function prepareBanking77(directory: string, vocabularyPath: string | undefined, recipe: Recipe): Promise<PreparedData> {
  const { train, dev } = await banking77Split(directory);
  const vocabulary = await readVocabulary(directory, vocabularyPath);
  const kept = pruneVocabulary(
    vocabulary,
    train.map(({ text }) => text),
    recipe.minTokenCount,
  );
  return prepareTexts({ train, dev }, wordPieceTokenizerJson(kept), recipe);
}

/**
 * Reads a table of labelled texts, holds out a stratified tenth, and builds the vocabulary from the training part alone.
 *
 * @param balanced whether training rows of rare labels are repeated
 * @throws DataError
 */
export function prepareTable(
  csv: string,
  columns: { readonly text: string; readonly label: string },
  recipe: Recipe,
  balanced = true,
): PreparedTable {
  // A text of nothing but emoji selectors or control characters has none.
  const countTokens = tokenCounter();
  const { rows, skipped } = parseTable(csv, columns, (text) => countTokens(text) > 0);
  const { train, trainRows, dev, unmeasured } = splitTable(rows, balanced);
  const vocabulary = buildVocabulary(
    // Each row once: repeats would make the words of rare labels frequent.
    [...new Set(train)].map(({ text }) => text),
    recipe.minTokenCount,
  );
  const tokenizer = wordPieceTokenizerJson(vocabulary);
  const tokenize = textTokenizer(tokenizer, Number.POSITIVE_INFINITY);
  const { maxTokens } = recipe.architecture;
  return {
    ...prepareTexts({ train, dev }, tokenizer, recipe),
    trainRows,
    skipped,
    cutOff: rows.filter(({ text }) => tokenize(text).ids.length > maxTokens).length,
    unmeasured,
  };
}

/** Tokens of a text that the vocabulary does not matter to: whether there are any. */
function tokenCounter(): (text: string) => number {
  const tokenizer = new Tokenizer(wordPieceTokenizerJson([PAD_TOKEN, UNKNOWN_TOKEN]), {});
  return (text) => tokenizer.encode(text).ids.length;
}

export interface PreparedTable extends PreparedData, Pick<TableSplit, 'trainRows' | 'unmeasured'>, Pick<TextTable, 'skipped'> {
  /** Rows whose text has more tokens than the model takes: the rest is cut off. */
  readonly cutOff: number;
}

/** Tokenises both parts. */
export function prepareTexts({ train, dev }: Split<Question>, tokenizer: TokenizerJson, recipe: Recipe): PreparedData {
  const { maxTokens } = recipe.architecture;
  const tokenize = textTokenizer(tokenizer, maxTokens);
  const labels = [...new Set(train.map(({ label }) => label))].sort();
  const encode = (questions: typeof train) =>
    encodeQuestions(
      questions.map(({ text, label }) => ({ ids: tokenize(text, { truncate: true }).ids, label: labels.indexOf(label) })),
      maxTokens,
    );
  const encoded = { train: encode(train), dev: encode(dev) };
  const devTexts = dev.map(({ text }) => text);
  return {
    ...encoded,
    devTexts,
    labels,
    tokenizer,
    vocabularySize: Object.keys(tokenizer.model.vocab).length,
    digest: digestOf([encoded.train, encoded.dev]),
  };
}

async function readVocabulary(directory: string, path: string | undefined): Promise<readonly string[]> {
  const name = 'bert-base-uncased-vocab.txt';
  const candidates = path === undefined ? [join(directory, 'tokenizers', name), join(directory, '..', 'tokenizers', name)] : [path];
  for (const candidate of candidates) {
    const vocabulary = (await readIfPresent(candidate))?.split(/\r?\n/).filter((token) => token !== '');
    if (vocabulary === undefined) continue;
    if (vocabulary.includes(PAD_TOKEN) && vocabulary.includes(UNKNOWN_TOKEN)) return vocabulary;
    throw new DataError(`${candidate} is no WordPiece vocabulary: it lacks ${PAD_TOKEN} or ${UNKNOWN_TOKEN}.`, { path: candidate });
  }
  throw new DataError(`No vocabulary at ${candidates.join(' or ')}: name BERT's uncased vocab.txt with --vocab.`, { candidates });
}

function digestOf(parts: readonly EncodedQuestions[]): string {
  const hash = createHash('sha256');
  for (const { ids, labels } of parts) {
    hash.update(Buffer.from(ids.buffer, ids.byteOffset, ids.byteLength));
    hash.update(Buffer.from(labels.buffer, labels.byteOffset, labels.byteLength));
  }
  return hash.digest('hex');
}
