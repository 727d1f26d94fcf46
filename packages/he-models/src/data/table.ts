import { parse } from 'csv-parse/sync';
import { DataError } from '../errors.js';

/** Labelled texts of a table. */
export interface TextTable {
  readonly rows: readonly { readonly text: string; readonly label: string }[];
  /** Rows left out because the text or the label is empty, or the text cannot be read. */
  readonly skipped: number;
}

/**
 * Reads a CSV file with a header: quoted fields may hold commas, quotes and line breaks; empty rows are left out.
 *
 * @param columns names of the columns with the text and with its label
 * @param readable whether there is anything in a text for a tokenizer; rows with other texts are left out
 * @throws DataError for a file that is no CSV, a column that is not there (with those that are), or fewer than two labels
 */
export function parseTable(
  csv: string,
  columns: { readonly text: string; readonly label: string },
  readable: (text: string) => boolean = () => true,
): TextTable {
  const [header = [], ...records] = parseRecords(csv);
  const [textAt, labelAt] = [columns.text, columns.label].map((name) => columnOf(header, name));
  const filled = records
    .map((record) => ({ text: (record[textAt ?? 0] ?? '').trim(), label: (record[labelAt ?? 0] ?? '').trim() }))
    .filter(({ text, label }) => text !== '' && label !== '' && readable(text));
  if (new Set(filled.map(({ label }) => label)).size < 2) {
    const [only] = filled;
    const what = only === undefined ? 'No row has both a text and a label' : `Every row with a text has the same label, ${only.label}`;
    throw new DataError(`${what}: give examples of at least two labels.`, { rows: filled.length });
  }
  return { rows: filled, skipped: records.length - filled.length };
}

function parseRecords(csv: string): readonly (readonly string[])[] {
  try {
    return parse(csv, { skip_empty_lines: true, bom: true, relax_column_count: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(
      `Not a well-formed CSV file (${reason}): quote fields that hold commas or quotes, and double the quotes inside.`,
      {},
    );
  }
}

function columnOf(header: readonly string[], name: string): number {
  const names = header.map((column) => column.trim());
  const at = names.indexOf(name);
  if (at === -1)
    throw new DataError(`The table has no column ${name}: it has ${names.join(', ') || 'no header'}.`, { column: name, names });
  return at;
}
