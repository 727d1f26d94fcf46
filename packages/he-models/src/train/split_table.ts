import { DEV_FRACTION, SPLIT_SEED } from '../data/banking77.js';
import { stratifiedSplit } from '../data/stratified_split.js';
import type { TextTable } from '../data/table.js';
import { DataError } from '../errors.js';
import { repeatRare } from './repeat_rare.js';

/** A table in two parts. */
export interface TableSplit {
  /** Rows of rare labels are repeated, so there may be more than `trainRows`. */
  readonly train: TextTable['rows'];
  readonly trainRows: number;
  readonly dev: TextTable['rows'];
  /** Labels with too few rows for one to be held out, in alphabetical order. */
  readonly unmeasured: readonly string[];
}

/**
 * Holds out a stratified tenth of a table's rows.
 *
 * @param balanced whether training rows of rare labels are repeated
 * @throws DataError where no label has enough rows for one to be held out
 */
export function splitTable(rows: TextTable['rows'], balanced: boolean): TableSplit {
  const labelOf = ({ label }: TextTable['rows'][number]): string => label;
  const { train, dev } = stratifiedSplit(rows, labelOf, DEV_FRACTION, SPLIT_SEED);
  if (dev.length === 0) {
    throw new DataError('No label has the five rows from which one is held out: give more.', { rows: rows.length });
  }
  const held = new Set(dev.map(labelOf));
  return {
    train: balanced ? repeatRare(train, labelOf) : train,
    trainRows: train.length,
    dev,
    unmeasured: [...new Set(train.map(labelOf))].filter((label) => !held.has(label)).sort(),
  };
}
