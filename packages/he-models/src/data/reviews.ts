import { join } from 'node:path';
import { DataError } from '../errors.js';
import { readGzip } from './gzip.js';

/** A film review of the Large Movie Review Dataset (Maas et al. 2011). */
export interface Review {
  readonly text: string;
  /** Whether it praises the film; undefined for the unlabelled ones. */
  readonly positive?: boolean;
}

/**
 * The labelled training reviews, then the unlabelled ones, as JSON lines `{"label": 0, 1 or -1, "text": ...}` in `imdb-train.jsonl.gz` and
 * `imdb-unsup.jsonl.gz`, in the folder `text` of `directory` or of the folder above it, or in `directory` itself.
 *
 * @throws DataError where a file is missing or malformed
 */
export async function readReviews(directory: string): Promise<readonly Review[]> {
  const folders = [join(directory, 'text'), directory, join(directory, '..', 'text')];
  const files = ['imdb-train.jsonl.gz', 'imdb-unsup.jsonl.gz'];
  const parts = await Promise.all(files.map(async (name) => parseReviews(new TextDecoder().decode(await readGzip(folders, name)), name)));
  return parts.flat();
}

/** @throws DataError naming the line that is no review */
export function parseReviews(lines: string, name: string): readonly Review[] {
  return lines.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [parseReview(line, index + 1, name)]));
}

function parseReview(line: string, number: number, name: string): Review {
  try {
    const { text, label } = JSON.parse(line);
    const plain = typeof text === 'string' ? text.replace(/<br\s*\/?>|\p{C}/gu, ' ') : '';
    if (plain !== '' && (label === 0 || label === 1)) return { text: plain, positive: label === 1 };
    if (plain !== '' && label === -1) return { text: plain };
  } catch {
    // refused below
  }
  throw new DataError(`Line ${number} of ${name} is not {"label": 0, 1 or -1, "text": ...}: make the file again.`, {
    file: name,
    line: number,
  });
}
