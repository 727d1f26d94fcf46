import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { integerOption, parseArguments, requiredOption } from '../cli/arguments.js';
import { DataError, UsageError } from '../errors.js';
import type { TextCardText } from './card.js';
import { prepareTable } from './prepare.js';
import type { Progress } from './progress.js';
import { BANKING77_RECIPE, type Recipe } from './recipe.js';
import { runTraining, type TrainingSummary } from './run.js';
import { startWasm } from './wasm.js';

/** What `train --task` takes. */
export interface TableOptions {
  readonly file: string;
  readonly columns: { readonly text: string; readonly label: string };
  readonly out: string;
  readonly checkpoints: string;
  readonly epochs: number | undefined;
  readonly seed: number | undefined;
  readonly fresh: boolean;
  readonly json: boolean;
}

/** Optimiser steps that a table gets by default, whatever its size. */
const STEPS = 2000;
const EPOCHS = { least: 5, most: 60 } as const;

/** @throws UsageError */
export function parseTableOptions(args: readonly string[], cwd: string): TableOptions {
  const { values, positionals } = parseArguments(args, {
    task: { type: 'string' },
    train: { type: 'string' },
    text: { type: 'string', default: 'text' },
    label: { type: 'string', default: 'label' },
    out: { type: 'string' },
    checkpoints: { type: 'string' },
    epochs: { type: 'string' },
    seed: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  });
  if (values.task !== 'text-classification') {
    throw new UsageError(`--task must be text-classification, not ${String(values.task)}: it is the one that tables are trained for.`, {});
  }
  if (positionals.length > 0) throw new UsageError(`A data set cannot be named with --task: ${positionals.join(' ')}.`, {});
  const out = resolve(cwd, requiredOption('out', values.out, 'the folder of the new model'));
  return {
    file: resolve(cwd, requiredOption('train', values.train, 'a CSV file with a header')),
    columns: { text: String(values.text), label: String(values.label) },
    out,
    checkpoints: typeof values.checkpoints === 'string' ? resolve(cwd, values.checkpoints) : `${out}.checkpoints`,
    epochs: integerOption('epochs', values.epochs, 1),
    seed: integerOption('seed', values.seed, 0),
    fresh: values.fresh === true,
    json: values.json === true,
  };
}

export interface TableSummary extends TrainingSummary {
  /** Rows left out because the text or the label is empty. */
  readonly skippedRows: number;
}

/**
 * Trains a text classifier and its softmax twin on a table, converts it and writes its folder, which `pipeline` loads. All rows are read and
 * checked before anything is written.
 *
 * @throws DataError, CheckpointError
 */
export async function trainTable(options: TableOptions, progress: Progress, base: Recipe = BANKING77_RECIPE): Promise<TableSummary> {
  const csv = await readFile(options.file, 'utf8').catch(() => {
    throw new DataError(`Cannot read the table ${options.file}: check --train.`, { file: options.file });
  });
  await startWasm();
  const data = prepareTable(csv, options.columns, base);
  const batchSize = Math.min(base.batchSize, data.train.count);
  const epochs = Math.ceil(STEPS / Math.floor(data.train.count / batchSize));
  const recipe: Recipe = {
    ...base,
    batchSize,
    epochs: options.epochs ?? Math.min(EPOCHS.most, Math.max(EPOCHS.least, epochs)),
    seed: options.seed ?? base.seed,
  };
  progress.log(
    `${data.train.count} training and ${data.dev.count} development rows, ${data.skipped} left out, ${data.labels.length} labels`,
  );
  const name = basename(options.out);
  const summary = await runTraining({ ...options, variant: 'both' }, recipe, data, progress, { name, card: cardOf(options, recipe) });
  return { ...summary, skippedRows: data.skipped };
}

function cardOf({ file, columns, out }: TableOptions, { epochs, seed }: Recipe): TextCardText {
  const table = basename(file);
  const task = `--task text-classification --train ${table} --text ${columns.text} --label ${columns.label}`;
  return {
    purpose: `Sorts a text into the values of the column ${columns.label} of ${table}.`,
    split: `a stratified tenth of the rows of ${table} that training never saw`,
    commands: [`he-models train ${task} --epochs ${epochs} --seed ${seed} --out ${basename(out)}`],
    limits: `For texts like those of ${table}. It always names one of its labels, also for texts about something else, and its scores are no calibrated probabilities. Words that
are rare or absent in the training rows are spelt out in characters, which the model handles poorly.`,
    data: `Trained on ${table}; whoever owns that table says what may be done with the weights.`,
  };
}
