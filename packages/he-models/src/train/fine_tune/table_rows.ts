import { createHash } from 'node:crypto';
import type { TextFolder } from '../../convert/polynomial_folder.js';
import { parseTable, type TextTable } from '../../data/table.js';
import { EmptyTextError, TextTooLongError, UnknownTextError } from '../../errors.js';
import { splitTable, type TableSplit } from '../split_table.js';

/** A text and the index of its label. */
export interface Row {
  readonly text: string;
  readonly label: number;
}

type Encoder = Pick<TextFolder, 'config' | 'embed' | 'tokenize'>;

/** A table in the words of a model that exists. */
export interface TableRows extends Pick<TableSplit, 'trainRows' | 'unmeasured'>, Pick<TextTable, 'skipped'> {
  /** Rows of rare labels are repeated, so there may be more than `trainRows`. */
  readonly train: readonly Row[];
  readonly dev: readonly Row[];
  readonly labels: readonly string[];
  /** Rows whose text has more tokens than the model takes: the rest is cut off. */
  readonly cutOff: number;
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
  const { rows, skipped } = parseTable(csv, columns, (text) => knows(encoder, text));
  const { config } = encoder;
  const named = [...new Set(rows.map(({ label }) => label))].sort();
  const labels = named.every((label) => config.labels.includes(label)) ? config.labels : named;
  const { trainRows, unmeasured, ...split } = splitTable(rows, balanced);
  const indexed = (part: TextTable['rows']): readonly Row[] => part.map(({ text, label }) => ({ text, label: labels.indexOf(label) }));
  const parts = { train: indexed(split.train), dev: indexed(split.dev) };
  return {
    ...parts,
    trainRows,
    labels,
    skipped,
    cutOff: rows.filter(({ text }) => isTooLong(encoder, text)).length,
    unmeasured,
    digest: createHash('sha256').update(JSON.stringify(parts)).digest('hex'),
  };
}

/** Whether there is a word or character of the text that the tokenizer knows. */
function knows({ embed }: Encoder, text: string): boolean {
  try {
    embed(text, { truncate: true });
    return true;
  } catch (error) {
    if (error instanceof EmptyTextError || error instanceof UnknownTextError) return false;
    throw error;
  }
}

function isTooLong({ tokenize }: Encoder, text: string): boolean {
  try {
    tokenize(text);
    return false;
  } catch (error) {
    if (error instanceof TextTooLongError) return true;
    throw error;
  }
}
