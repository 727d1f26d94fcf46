import { parse } from 'csv-parse/sync';
import { DataError } from '../errors.js';

/** Labelled texts of a table. */
export interface TextTable {
  readonly rows: readonly { readonly text: string; readonly label: string }[];
  /** Rows left out because the text or the label is empty. */
  readonly skipped: number;
}

/**
 * Reads a CSV file with a header: quoted fields may hold commas, quotes and line breaks; empty rows are left out.
 *
 * @param columns names of the columns with the text and with its label
 * @throws DataError for a file that is no CSV, a column that is not there (with those that are), or fewer than two labels
 */
export function parseTable(csv: string, columns: { readonly text: string; readonly label: string }): TextTable {
  const [header = [], ...records] = parseRecords(csv);
  const [textAt, labelAt] = [columns.text, columns.label].map((name) => columnOf(header, name));
  const filled = records
    .map((record) => ({ text: (record[textAt ?? 0] ?? '').trim(), label: (record[labelAt ?? 0] ?? '').trim() }))
    .filter(({ text, label }) => text !== '' && label !== '');
  if (new Set(filled.map(({ label }) => label)).size < 2) {
    throw new DataError(`The column ${columns.label} needs at least two different labels in ${filled.length} rows with text.`, {
      rows: filled.length,
    });
  }
  return { rows: filled, skipped: records.length - filled.length };
}

function parseRecords(csv: string): readonly (readonly string[])[] {
  try {
    return parse(csv, { skip_empty_lines: true, bom: true, relax_column_count: true });
  } catch (error) {
    throw new DataError(`Not a well-formed CSV file: ${error instanceof Error ? error.message : String(error)}`, {});
  }
}

function columnOf(header: readonly string[], name: string): number {
  const names = header.map((column) => column.trim());
  const at = names.indexOf(name);
  if (at === -1)
    throw new DataError(`The table has no column ${name}: it has ${names.join(', ') || 'no header'}.`, { column: name, names });
  return at;
}
