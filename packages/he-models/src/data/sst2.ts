import { join } from 'node:path';
import { DataError } from '../errors.js';
import { type Question, readIfPresent } from './banking77.js';
import type { Split } from './stratified_split.js';

/** What SST-2's labels 0 and 1 mean. */
export const SENTIMENTS = ['negative', 'positive'] as const;

/**
 * SST-2 from the folder `sst2` of `directory`, or from `directory` itself: phrases and sentences of `train.tsv`, sentences of `dev.tsv`. The data set
 * comes cut into tokens; contractions and brackets are put back as people write them. Training rows that contain a development sentence are
 * left out.
 *
 * @throws DataError where a file is missing or malformed
 */
export async function sst2Split(directory: string): Promise<Split<Question>> {
  const train = parseSst2(await readTable(directory, 'train.tsv'), 'train.tsv');
  const dev = parseSst2(await readTable(directory, 'dev.tsv'), 'dev.tsv');
  const held = dev.map(({ text }) => ` ${text} `);
  return { train: train.filter(({ text }) => !held.some((sentence) => ` ${text} `.includes(sentence))), dev };
}

/** Rows of one of SST-2's files: a header, of which the label's column comes first, then `0|1 <tab> text`. @throws DataError */
export function parseSst2(tsv: string, name: string): readonly Question[] {
  const [header = '', ...lines] = tsv.split(/\r?\n/);
  if (!header.startsWith('label\t')) throw new DataError(`${name} must begin with a header label<tab>text.`, { file: name });
  const rows = lines.flatMap((line, index) => (line.trim() === '' ? [] : [parseRow(line, index + 2, name)]));
  if (rows.length === 0) throw new DataError(`${name} has no rows: download it again.`, { file: name });
  return rows;
}

function parseRow(line: string, number: number, name: string): Question {
  const [digit, written, ...rest] = line.split('\t');
  const label = digit === '0' ? SENTIMENTS[0] : digit === '1' ? SENTIMENTS[1] : undefined;
  const text = written === undefined ? '' : asWritten(written);
  if (label === undefined || text === '' || rest.length > 0)
    throw new DataError(`Line ${number} of ${name} is not 0 or 1, a tab and a text: download the file again.`, {
      file: name,
      line: number,
    });
  return { text, label };
}

function asWritten(tokens: string): string {
  return tokens
    .replaceAll('-lrb-', '(')
    .replaceAll('-rrb-', ')')
    .replace(/ (n't|'(?:s|re|ve|ll|d|m))\b/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

async function readTable(directory: string, name: string): Promise<string> {
  const paths = [join(directory, 'sst2', name), join(directory, name)];
  for (const path of paths) {
    const text = await readIfPresent(path);
    if (text !== undefined) return text;
  }
  throw new DataError(`No ${name} of SST-2 at ${paths.join(' or ')}: see the README for what the data folder holds.`, { paths });
}
