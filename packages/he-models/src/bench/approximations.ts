import '@tensorflow/tfjs-backend-cpu';
import { join, resolve } from 'node:path';
import { enableProdMode } from '@tensorflow/tfjs-core';
import { compile, profile } from 'tfjs-he-backend';
import type { ApproximationFigures } from '../cards/approximations_section.js';
import { updateCard } from '../cards/card_files.js';
import { choiceOption, parseArguments, requiredOption } from '../cli/arguments.js';
import { CheckpointError, DataError, UsageError } from '../errors.js';
import { fromPretrained } from '../index.js';
import type { Classifier } from '../train/classifier.js';
import { convertClassifier, serverLogits } from '../train/convert.js';
import { accuracy, agreement, classifierLogits } from '../train/metrics.js';
import type { PreparedData } from '../train/prepare.js';
import type { Recipe } from '../train/recipe.js';
import { dataOfShipped, shippedName, trainedClassifier } from '../train/trained_classifier.js';
import { startWasm } from '../train/wasm.js';
import { type MeasuredRuns, measureRuns } from './encrypted_run.js';

export const APPROXIMATIONS_HELP = `npm run bench -w he-models -- approximations --data DIR [options]

Accuracy against depth and latency: converts a trained text model with polynomials of several degrees and prints, for each, accuracy on the development
examples, agreement with the form that was trained, levels, key switches, refreshes and predicted latency. Needs the checkpoints of a training run.

  --data DIR         folder of the data set, or the folder above it (required)
  --dataset NAME     banking77 (default) or sst2
  --vocab FILE       as in training
  --checkpoints DIR  of the training run (default: checkpoints/DATASET in the package)
  --measure          run each program encrypted, engine simd on as many threads as models are served with, and print the median of three warm runs
  --card             write the rows into models/NAME: encrypted.json and the card
  --json             one JSON object per line`;

type Degrees = Recipe['conversion']['degrees'];

/** From one level each to four. */
export const TRIED_DEGREES: readonly Degrees[] = [
  { reciprocal: 1, rsqrt: 1, gelu: 2 },
  { reciprocal: 3, rsqrt: 1, gelu: 3 },
  { reciprocal: 3, rsqrt: 3, gelu: 3 },
  { reciprocal: 3, rsqrt: 3, gelu: 6 },
  { reciprocal: 7, rsqrt: 3, gelu: 6 },
  { reciprocal: 7, rsqrt: 7, gelu: 7 },
  { reciprocal: 15, rsqrt: 15, gelu: 15 },
];

/** @throws UsageError, DataError, CheckpointError */
export async function approximations(args: readonly string[], packageRoot: string): Promise<void> {
  const { values, positionals } = parseArguments(args, {
    data: { type: 'string' },
    dataset: { type: 'string', default: 'banking77' },
    vocab: { type: 'string' },
    checkpoints: { type: 'string' },
    measure: { type: 'boolean', default: false },
    card: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help === true) return console.log(APPROXIMATIONS_HELP);
  if (positionals.length > 0) throw new UsageError(`approximations takes no ${positionals.join(' ')}. See --help.`, { given: positionals });
  const dataset = choiceOption('dataset', values.dataset, ['banking77', 'sst2']);
  const folder = requiredOption('data', values.data, "the folder of the model's data set");
  // npm runs a workspace's scripts elsewhere, but says where it was started.
  const cwd = process.env.INIT_CWD ?? process.cwd();
  const pathOf = (value: string): string => resolve(cwd, value);
  await startWasm();
  enableProdMode();
  const { config, model } = await fromPretrained(shippedName(dataset));
  model.dispose();
  const { vocab, checkpoints: given } = values;
  const vocabulary = typeof vocab === 'string' ? pathOf(vocab) : undefined;
  const data = await dataOfShipped({ dataset, data: pathOf(folder), vocabulary }, config.recipe);
  const checkpoints = typeof given === 'string' ? pathOf(given) : join(packageRoot, 'checkpoints', dataset);
  const trained = await trainedClassifier('power', checkpoints, config.recipe, data);
  if (trained === undefined) {
    throw new CheckpointError(`There is no checkpoint of a complete run in ${checkpoints}: train ${dataset} first.`, { checkpoints });
  }
  const rows: ApproximationRow[] = [];
  for (const degrees of TRIED_DEGREES) {
    const row = await approximationRow(trained, data, config.recipe, degrees, values.measure === true);
    rows.push(row);
    console.log(values.json === true ? JSON.stringify({ model: config.name, ...row }) : lineOf(row));
  }
  trained.dispose();
  if (values.card !== true) return;
  const command = `npm run bench -w he-models -- approximations --data DIR --dataset ${dataset}${values.measure === true ? ' --measure' : ''}`;
  const approximations: ApproximationFigures = { rows, shipped: config.recipe.conversion.degrees, command };
  await updateCard(join(packageRoot, 'models', config.name), config, (figures) => {
    if (figures !== undefined) return { ...figures, approximations };
    throw new DataError(`models/${config.name} has no figures yet: run npm run figures first.`, { model: config.name });
  });
}

export interface ApproximationRow extends Partial<MeasuredRuns> {
  readonly degrees: Degrees;
  readonly accuracy: number;
  /** Share of development examples with the top-1 of the trained form. */
  readonly sameTop1: number;
  readonly depth: number;
  readonly keySwitches: number;
  readonly refreshes: number;
  readonly predictedMs: number;
}

/** What a conversion with these degrees is worth. @throws HeError if it does not compile or, with `measure`, does not fit memory */
export async function approximationRow(
  trained: Classifier,
  { train, dev }: Pick<PreparedData, 'train' | 'dev'>,
  recipe: Recipe,
  degrees: Degrees,
  measure: boolean,
): Promise<ApproximationRow> {
  const { model } = convertClassifier(trained, train, { ...recipe, conversion: { ...recipe.conversion, degrees } }, 'tried');
  try {
    const logits = serverLogits(model, dev, trained.embeddingWeights());
    const program = await compile(model, { securityBits: 128, precisionBits: 12, valueBits: 6 });
    const { depth, keySwitches, refreshes, predictedMs } = profile(program);
    return {
      degrees,
      accuracy: accuracy(logits, dev.labels),
      sameTop1: agreement(logits, classifierLogits(trained, dev)).sameTop1,
      depth,
      keySwitches,
      refreshes,
      predictedMs,
      ...(measure ? await measureRuns(program, 3) : {}),
    };
  } finally {
    model.dispose();
  }
}

function lineOf({ degrees, accuracy: share, sameTop1, depth, keySwitches, refreshes, predictedMs, measuredMs }: ApproximationRow): string {
  const percent = (value: number): string => `${(100 * value).toFixed(2)}%`;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  const found = measuredMs === undefined ? '' : `, measured ${seconds(measuredMs)}`;
  return `reciprocal ${degrees.reciprocal}, rsqrt ${degrees.rsqrt}, gelu ${degrees.gelu}: accuracy ${percent(share)}, as trained ${percent(sameTop1)}, depth ${depth}, ${keySwitches} key switches, ${refreshes} refreshes, predicted ${seconds(predictedMs)}${found}`;
}
