import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Tensor } from '@tensorflow/tfjs-core';
import { checkIntervals, toPolynomial } from 'tfjs-power-softmax';
import { requireFolder } from '../../cli/out_folder.js';
import { loadLayersFolder } from '../../convert/layers_model.js';
import { openTextFolder, type TextFolder, writePolynomialFolder } from '../../convert/polynomial_folder.js';
import { ModelUnavailableError, UsageError } from '../../errors.js';
import type { Accuracies, ClassScores } from '../../pretrained/config.js';
import { takeTurn } from '../../turns.js';
import { percent } from '../card.js';
import { identityOf, readCheckpoint, writeCheckpoint } from '../checkpoint.js';
import { classScores } from '../class_scores.js';
import { type Agreement, accuracy, agreement } from '../metrics.js';
import type { Progress } from '../progress.js';
import { checkpointPath } from '../run.js';
import { defaultEpochs, readTable, type TableOptions } from '../train_table.js';
import { startWasm } from '../wasm.js';
import { embedRows, fineTuneModel, logitsOf } from './fine_tune_model.js';
import { fineTuningCard } from './fine_tuning_card.js';
import { FINE_TUNING_RECIPE, type FineTuningRecipe } from './fine_tuning_recipe.js';
import { forLabels, type LabelledModel } from './for_labels.js';
import { type Row, type TableRows, tableRows } from './table_rows.js';

/** A table and the folder of a converted checkpoint. */
export interface FineTuneOptions extends TableOptions {
  readonly from: string;
}

/** What is known of a model that was trained on a table, on the rows that were held out. A part of its `config.json`. */
export interface FineTuning {
  /** Name of the model it comes from. */
  readonly from: string;
  readonly seed: number;
  readonly epochs: number;
  readonly devQuestions: number;
  readonly accuracy: Pick<Accuracies, 'powerSoftmax' | 'polynomial'>;
  readonly classes: Pick<ClassScores, 'mostFrequent' | 'perLabel'> & { readonly macroF1: Pick<Accuracies, 'powerSoftmax' | 'polynomial'> };
  /** Polynomial against trained form. */
  readonly agreement: Agreement;
  /** Values outside their approximation's interval, of how many. */
  readonly outsideIntervals: number;
  readonly approximatedValues: number;
}

/** What all stages of a run work with. */
interface Run {
  readonly labelled: LabelledModel;
  readonly rows: TableRows;
  readonly text: TextFolder;
  /** Training texts that ranges are observed on, embedded. */
  readonly seen: Tensor;
  readonly recipe: FineTuningRecipe;
  readonly options: FineTuneOptions;
  readonly progress: Progress;
}

/** What the command reports. */
export interface FineTuningSummary extends FineTuning {
  readonly model: string;
  readonly skippedRows: number;
  readonly cutOffRows: number;
  readonly unmeasuredLabels: readonly string[];
  readonly out: string;
}

/**
 * Trains a converted checkpoint on a table, tightens its ranges, makes it a polynomial and writes its folder, which `pipeline` loads and runs encrypted.
 * All rows are read and checked before anything is written.
 *
 * @throws ModelUnavailableError and UsageError for a folder that is no converted classifier, AssetError, DataError, CheckpointError, OutputError, HeError for a polynomial that does not
 * compile, InputError for one that overflows, or the reason of `progress.signal`
 */
export async function fineTune(
  options: FineTuneOptions,
  progress: Progress,
  base: FineTuningRecipe = FINE_TUNING_RECIPE,
): Promise<FineTuningSummary> {
  const csv = await readTable(options.file);
  await requireFolder(options.out);
  await startWasm();
  const text = await openConverted(options.from);
  if (text.config.task === 'text-generation') {
    throw new UsageError(`--from ${options.from} continues texts: name a folder of a BERT or RoBERTa, which classify them.`, {});
  }
  const rows = tableRows(csv, options.columns, text, options.balanced);
  const recipe: FineTuningRecipe = {
    ...base,
    epochs: options.epochs ?? defaultEpochs(Math.floor(rows.train.length / Math.min(base.batchSize, rows.train.length))),
    seed: options.seed ?? base.seed,
  };
  const labelled = forLabels(await loadLayersFolder(options.from), text.config.labels, rows.labels, recipe.seed);
  describe(rows, labelled, progress);
  const seen = embedRows(longestRows(rows.train, recipe.conversion.calibration), text);
  try {
    const run: Run = { labelled, rows, text, seen, recipe, options, progress };
    await train(run);
    await takeTurn(progress.signal);
    const fineTuning = await ship(run);
    const { skipped: skippedRows, cutOff: cutOffRows, unmeasured: unmeasuredLabels } = rows;
    return { model: basename(options.out), ...fineTuning, skippedRows, cutOffRows, unmeasuredLabels, out: options.out };
  } finally {
    seen.dispose();
    labelled.model.dispose();
  }
}

/** @throws ModelUnavailableError for a folder without a converted checkpoint, and what opening it throws */
async function openConverted(folder: string): Promise<TextFolder> {
  if ((await stat(join(folder, 'model.json')).catch(() => undefined))?.isFile() === true) return openTextFolder(folder);
  throw new ModelUnavailableError(`${folder} holds no converted checkpoint: make one with he-models convert CHECKPOINT --out DIR.`, {
    folder,
  });
}

async function train({ labelled, rows, text, seen, recipe, options, progress }: Run): Promise<void> {
  // The weights that it begins with decide the result as the rows do.
  const identity = identityOf(recipe, 'power', `${rows.digest} ${JSON.stringify(text.config.files)}`);
  const path = checkpointPath(options.checkpoints, 'power');
  const from = options.fresh ? undefined : await readCheckpoint(path, identity);
  if (from !== undefined) progress.log(`continuing after epoch ${from.epoch} of ${recipe.epochs}`);
  const labels = rows.dev.map(({ label }) => label);
  await fineTuneModel(
    labelled,
    rows.train,
    text,
    seen,
    recipe,
    {
      signal: progress.signal,
      onStep: ({ epoch, step, steps, loss }) => progress.update(step, steps, `epoch ${epoch + 1}/${recipe.epochs} loss ${loss.toFixed(3)}`),
      onEpoch: async (state, meanLoss) => {
        await writeCheckpoint(path, identity, state);
        const dev = accuracy(logitsOf(labelled, rows.dev, text), labels);
        progress.log(`epoch ${state.epoch}/${recipe.epochs} loss ${meanLoss.toFixed(4)} dev ${percent(dev)}`);
      },
    },
    from,
  );
}

/** Makes the trained model a polynomial, measures both and writes the folder. */
async function ship({ labelled, rows, text, seen, recipe, options, progress }: Run): Promise<FineTuning> {
  const { margin, bits } = recipe.conversion;
  const name = basename(options.out);
  const polynomial = toPolynomial(labelled.model, { calibration: seen, margin, bits, name });
  try {
    const forms = { powerSoftmax: logitsOf(labelled, rows.dev, text), polynomial: logitsOf(polynomial, rows.dev, text) };
    const fineTuning = measured(forms, polynomial, rows, text, recipe);
    await takeTurn(progress.signal);
    progress.log('choosing parameters');
    await writePolynomialFolder(options.out, {
      name,
      text,
      labels: rows.labels,
      polynomial,
      calibration: seen,
      more: fineTuning,
      signal: progress.signal,
      cardOf: (config, he) => fineTuningCard(config.name, he, fineTuning, rows, options),
    });
    return fineTuning;
  } finally {
    polynomial.model.dispose();
  }
}

function measured(
  forms: Readonly<Record<'powerSoftmax' | 'polynomial', readonly Float32Array[]>>,
  polynomial: Pick<LabelledModel, 'model'>,
  { dev, labels: names }: TableRows,
  text: TextFolder,
  { seed, epochs }: FineTuningRecipe,
): FineTuning {
  const labels = Int32Array.from(dev, ({ label }) => label);
  const { macroF1, mostFrequent, perLabel } = classScores({ ...forms, softmax: forms.powerSoftmax }, labels, names);
  const embedded = embedRows(dev, text);
  const intervals = checkIntervals(polynomial.model, embedded);
  embedded.dispose();
  return {
    from: text.config.name,
    seed,
    epochs,
    devQuestions: dev.length,
    accuracy: { powerSoftmax: accuracy(forms.powerSoftmax, labels), polynomial: accuracy(forms.polynomial, labels) },
    classes: { macroF1: { powerSoftmax: macroF1.powerSoftmax, polynomial: macroF1.polynomial }, mostFrequent, perLabel },
    agreement: agreement(forms.powerSoftmax, forms.polynomial),
    outsideIntervals: intervals.reduce((sum, { outside }) => sum + outside, 0),
    approximatedValues: intervals.reduce((sum, { count }) => sum + count, 0),
  };
}

/** The longest texts, each once. */
function longestRows(rows: readonly Row[], count: number): readonly Row[] {
  const byText = new Map(rows.map((row) => [row.text, row]));
  return [...byText.values()].sort((a, b) => b.text.length - a.text.length).slice(0, count);
}

function describe(
  { train: training, trainRows, dev, labels, skipped, cutOff, unmeasured }: TableRows,
  { renewed }: LabelledModel,
  progress: Progress,
): void {
  progress.log(`${trainRows} training and ${dev.length} development rows, ${skipped} left out, ${labels.length} labels`);
  if (renewed) progress.log('the labels are others than those of the checkpoint: its classifier is replaced');
  if (training.length > trainRows) progress.log(`${training.length - trainRows} repeats of rows with rare labels (--no-balance: none)`);
  if (cutOff > 0) progress.log(`${cutOff} texts are cut off: convert the checkpoint with more --tokens for all of them`);
  if (unmeasured.length > 0) progress.log(`too few rows to measure: ${unmeasured.join(', ')}`);
}
