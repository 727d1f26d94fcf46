import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { integerOption, parseArguments, requiredOption } from '../cli/arguments.js';
import { requireFolder } from '../cli/out_folder.js';
import { DataError, UsageError } from '../errors.js';
import { shellWord } from '../shell_word.js';
import type { TextCardText } from './card.js';
import { type PreparedTable, prepareTable } from './prepare.js';
import type { Progress } from './progress.js';
import { BANKING77_RECIPE, type Recipe } from './recipe.js';
import { runTraining, type TrainingSummary } from './run.js';
import { startWasm } from './wasm.js';

/** What `train --task` takes. */
export interface TableOptions {
  readonly file: string;
  /** Folder of a converted checkpoint to begin with; undefined: a new model. */
  readonly from: string | undefined;
  readonly columns: { readonly text: string; readonly label: string };
  readonly out: string;
  readonly checkpoints: string;
  readonly epochs: number | undefined;
  readonly seed: number | undefined;
  readonly fresh: boolean;
  /** Whether training rows of rare labels are repeated. */
  readonly balanced: boolean;
  /** Tokens of a text that the model takes; undefined: the recipe's. */
  readonly tokens: number | undefined;
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
    from: { type: 'string' },
    text: { type: 'string', default: 'text' },
    label: { type: 'string', default: 'label' },
    out: { type: 'string' },
    checkpoints: { type: 'string' },
    epochs: { type: 'string' },
    seed: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    'no-balance': { type: 'boolean', default: false },
    tokens: { type: 'string' },
    json: { type: 'boolean', default: false },
  });
  if (values.task !== 'text-classification') {
    throw new UsageError(`--task must be text-classification, not ${String(values.task)}: it is the one that tables are trained for.`, {});
  }
  if (positionals.length > 0) throw new UsageError(`A data set cannot be named with --task: ${positionals.join(' ')}.`, {});
  const out = resolve(cwd, requiredOption('out', values.out, 'the folder of the new model'));
  if (values.text === values.label) {
    throw new UsageError(`--text and --label are both the column ${String(values.text)}: they must be two.`, {});
  }
  if (typeof values.from === 'string' && values.tokens !== undefined) {
    throw new UsageError('--tokens is of a new model: the checkpoint of --from takes as many as it was converted for.', {});
  }
  return {
    from: typeof values.from === 'string' ? resolve(cwd, values.from) : undefined,
    file: resolve(cwd, requiredOption('train', values.train, 'a CSV file with a header')),
    columns: { text: String(values.text), label: String(values.label) },
    out,
    checkpoints: typeof values.checkpoints === 'string' ? resolve(cwd, values.checkpoints) : `${out}.checkpoints`,
    epochs: integerOption('epochs', values.epochs, 1),
    seed: integerOption('seed', values.seed, 0),
    fresh: values.fresh === true,
    balanced: values['no-balance'] !== true,
    tokens: integerOption('tokens', values.tokens, 2),
    json: values.json === true,
  };
}

export interface TableSummary extends TrainingSummary {
  /** Rows left out because the text or the label is empty. */
  readonly skippedRows: number;
  /** Rows whose text was cut off at the tokens that the model takes. */
  readonly cutOffRows: number;
  /** Labels with too few rows for the development part. */
  readonly unmeasuredLabels: readonly string[];
}

/**
 * Trains a text classifier and its softmax twin on a table, converts it and writes its folder, which `pipeline` loads. All rows are read and
 * checked before anything is written.
 *
 * @throws DataError, CheckpointError, UsageError and OutputError (where it is to be written), or the reason of `progress.signal`
 */
export async function trainTable(options: TableOptions, progress: Progress, base: Recipe = BANKING77_RECIPE): Promise<TableSummary> {
  const csv = await readTable(options.file);
  await requireFolder(options.out);
  await startWasm();
  const architecture = { ...base.architecture, maxTokens: options.tokens ?? base.architecture.maxTokens };
  const data = prepareTable(csv, options.columns, { ...base, architecture }, options.balanced);
  const batchSize = Math.min(base.batchSize, data.train.count);
  const recipe: Recipe = {
    ...base,
    architecture,
    batchSize,
    epochs: options.epochs ?? defaultEpochs(Math.floor(data.train.count / batchSize)),
    seed: options.seed ?? base.seed,
  };
  describe(data, recipe, progress);
  const model = { name: basename(options.out), card: cardOf(options, recipe, data), ofTable: true };
  const summary = await runTraining({ ...options, variant: 'both' }, recipe, data, progress, model);
  return { ...summary, skippedRows: data.skipped, cutOffRows: data.cutOff, unmeasuredLabels: data.unmeasured };
}

/** Epochs of a table that has as many steps in one. */
export function defaultEpochs(steps: number): number {
  return Math.min(EPOCHS.most, Math.max(EPOCHS.least, Math.ceil(STEPS / steps)));
}

/** @throws DataError for a table that cannot be read or is not UTF-8 */
export async function readTable(file: string): Promise<string> {
  const bytes = await readFile(file).catch(() => {
    throw new DataError(`Cannot read the table ${file}: check --train.`, { file });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new DataError(`The table ${file} is not UTF-8: save it as CSV in UTF-8.`, { file });
  }
}

function describe(data: PreparedTable, recipe: Recipe, progress: Progress): void {
  const { trainRows, train, dev, skipped, labels, cutOff, unmeasured } = data;
  progress.log(`${trainRows} training and ${dev.count} development rows, ${skipped} left out, ${labels.length} labels`);
  const repeats = train.count - trainRows;
  if (repeats > 0) progress.log(`${repeats} repeats of rows with rare labels (--no-balance: none)`);
  if (cutOff > 0) progress.log(`${cutOff} texts are cut off after ${recipe.architecture.maxTokens} tokens (--tokens N: N)`);
  if (unmeasured.length > 0) progress.log(`too few rows to measure: ${unmeasured.join(', ')}`);
}

/** The command that makes a model of a table, for its card. */
export function commandOf(
  { file, columns, out }: Pick<TableOptions, 'file' | 'columns' | 'out'>,
  { epochs, seed }: Readonly<Record<'epochs' | 'seed', number>>,
): string {
  const options = { train: basename(file), text: columns.text, label: columns.label, out: basename(out), epochs, seed };
  const words = Object.entries(options).map(([name, value]) => `--${name} ${shellWord(String(value))}`);
  return `he-models train --task text-classification ${words.join(' ')}`;
}

function cardOf({ file, columns, out, balanced, tokens }: TableOptions, { epochs, seed }: Recipe, data: PreparedTable): TextCardText {
  const table = basename(file);
  const options = `${tokens === undefined ? '' : ` --tokens ${tokens}`}${balanced ? '' : ' --no-balance'}`;
  const command = commandOf({ file, columns, out }, { epochs, seed });
  return {
    purpose: `Sorts a text into the values of the column ${columns.label} of ${table}.`,
    split: `a stratified tenth of the rows of ${table} that training never saw`,
    commands: [`${command}${options}`],
    caveat: caveatOf(data),
    limits: `For texts like those of ${table}. It always names one of its labels, also for texts about something else, and its scores are no calibrated probabilities. Words that
are rare or absent in the training rows are spelt out in characters, which the model handles poorly.`,
    data: `Trained on ${table}; whoever owns that table says what may be done with the weights.`,
  };
}

function caveatOf({ trainRows, train, skipped, cutOff, unmeasured }: PreparedTable): string {
  const repeats = train.count - trainRows;
  const sentences = [
    `Trained on ${trainRows} rows; ${skipped} ${skipped === 1 ? 'was' : 'were'} left out for want of a text or a label.`,
    ...(repeats > 0
      ? [`Rows of rare labels were repeated (${repeats} times in all), so scores do not follow how frequent labels are.`]
      : []),
    ...(cutOff > 0 ? [`${cutOff} texts were cut off.`] : []),
    ...(unmeasured.length > 0 ? [`Too few rows to measure: ${unmeasured.join(', ')}.`] : []),
  ];
  return sentences.join(' ');
}
