import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { DataError } from '../errors.js';
import { type Split, stratifiedSplit } from './stratified_split.js';

/** One customer question and its intent. */
export interface Question {
  readonly text: string;
  readonly label: string;
}

/** Share of each intent that is held out for development, and the seed of the choice: part of every figure in the model card. */
export const DEV_FRACTION = 0.1;
export const SPLIT_SEED = 7;

/**
 * Parses `train.csv` of banking77: a header `text,category`, then one quoted question per record.
 *
 * @throws DataError for a missing column, an empty field or a malformed record
 */
export function parseQuestions(csv: string): readonly Question[] {
  const records = parseRecords(csv);
  return records.map(({ text, category }, index) => {
    if (text === undefined || category === undefined || text.trim() === '' || category.trim() === '') {
      throw new DataError(`Record ${index + 1} needs a text and a category; check that the file has the header text,category.`, {
        record: index + 1,
      });
    }
    return { text: text.trim(), label: category.trim() };
  });
}

function parseRecords(csv: string): readonly Partial<Record<string, string>>[] {
  try {
    return parse(csv, { columns: true, skip_empty_lines: true, bom: true });
  } catch (error) {
    throw new DataError(`Not a well-formed CSV file: ${error instanceof Error ? error.message : String(error)}`, {});
  }
}

/** Reads `train.csv` of a banking77 folder, or of the `banking77` folder inside `directory`. @throws DataError if there is none */
export async function readQuestions(directory: string): Promise<readonly Question[]> {
  for (const path of [join(directory, 'train.csv'), join(directory, 'banking77', 'train.csv')]) {
    const csv = await readIfPresent(path);
    if (csv !== undefined) return parseQuestions(csv);
  }
  throw new DataError(`No banking77 data in ${directory}: put the data set's train.csv there or into its folder banking77.`, { directory });
}

/** Reads a text file; undefined where there is none. */
export async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * The training and development questions that the shipped model was trained and evaluated on.
 *
 * @param directory folder with banking77's `train.csv`, or the folder above it
 * @throws DataError if the data is missing or malformed
 */
export async function banking77Split(directory: string): Promise<Split<Question>> {
  return stratifiedSplit(await readQuestions(directory), (question) => question.label, DEV_FRACTION, SPLIT_SEED);
}
