import { createHash } from 'node:crypto';
import type { TextFolder } from '../../convert/polynomial_folder.js';
import { DEV_FRACTION, SPLIT_SEED } from '../../data/banking77.js';
import { stratifiedSplit } from '../../data/stratified_split.js';
import { parseTable } from '../../data/table.js';
import { DataError, EmptyTextError, TextTooLongError, UnknownTextError } from '../../errors.js';
import { repeatRare } from '../repeat_rare.js';

/** A text and the index of its label. */
export interface Row {
  readonly text: string;
  readonly label: number;
}

type Encoder = Pick<TextFolder, 'config' | 'embed' | 'tokenize'>;

/** A table in the words of a model that exists. */
export interface TableRows {
  /** Rows of rare labels are repeated, so `train` may have more than `trainRows`. */
  readonly train: readonly Row[];
  readonly trainRows: number;
  readonly dev: readonly Row[];
  readonly labels: readonly string[];
  /** Rows left out because the text or the label is empty, or the tokenizer knows no word of the text. */
  readonly skipped: number;
  /** Rows whose text has more tokens than the model takes: the rest is cut off. */
  readonly cutOff: number;
  /** Labels with too few rows for one to be held out. */
  readonly unmeasured: readonly string[];
  /** SHA-256 of both parts. */
  readonly digest: string;
}

/**
 * Reads a table of labelled texts and holds out a stratified tenth. Labels are the model's where it knows all of the table's, else the table's in
 * alphabetical order.
 *
 * @param balanced whether training rows of rare labels are repeated
 * @throws DataError
 */
export function tableRows(
  csv: string,
  columns: { readonly text: string; readonly label: string },
  encoder: Encoder,
  balanced: boolean,
): TableRows {
  const table = parseTable(csv, columns);
  const fits = table.rows.map(({ text }) => fitOf(encoder, text));
  const known = table.rows.filter((_, index) => fits[index] !== 'unknown');
  const { config } = encoder;
  const named = [...new Set(known.map(({ label }) => label))].sort();
  const labels = named.every((label) => config.labels.includes(label)) ? config.labels : named;
  const split = stratifiedSplit(known, ({ label }) => label, DEV_FRACTION, SPLIT_SEED);
  if (split.dev.length === 0) {
    throw new DataError('No label has the five rows from which one is held out: give more.', { rows: known.length });
  }
  const indexed = (rows: typeof split.dev): readonly Row[] => rows.map(({ text, label }) => ({ text, label: labels.indexOf(label) }));
  const held = new Set(split.dev.map(({ label }) => label));
  const parts = {
    train: indexed(balanced ? repeatRare(split.train, ({ label }) => label) : split.train),
    dev: indexed(split.dev),
  };
  return {
    ...parts,
    trainRows: split.train.length,
    labels,
    skipped: table.skipped + table.rows.length - known.length,
    cutOff: fits.filter((fit) => fit === 'cut off').length,
    unmeasured: named.filter((label) => !held.has(label)),
    digest: createHash('sha256').update(JSON.stringify(parts)).digest('hex'),
  };
}

function fitOf({ embed, tokenize }: Encoder, text: string): 'whole' | 'cut off' | 'unknown' {
  try {
    embed(text, { truncate: true });
    tokenize(text);
    return 'whole';
  } catch (error) {
    if (error instanceof TextTooLongError) return 'cut off';
    if (error instanceof EmptyTextError || error instanceof UnknownTextError) return 'unknown';
    throw error;
  }
}
