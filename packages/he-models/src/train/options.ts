import { resolve } from 'node:path';
import { integerOption, type OptionSpecs, type OptionValues, parseArguments } from '../cli/arguments.js';
import { UsageError } from '../errors.js';

/** Models by the data set that they are trained on. */
const DATASETS: Readonly<Record<string, string>> = {
  banking77: 'power-banking77',
  ecg: 'power-ecg',
  mnist: 'power-mnist-vit',
  sst2: 'power-sst2',
};

/** What the training command makes: those, and the language model. */
const TRAINABLE: Readonly<Record<string, string>> = { ...DATASETS, stories260k: 'power-stories-260k' };

/** Settings common to training and evaluation. */
export interface CommonOptions {
  /** One of {@link DATASETS}, or in training `stories260k`. */
  readonly dataset: string;
  readonly data: string;
  readonly vocabulary: string | undefined;
  readonly checkpoints: string;
  readonly json: boolean;
}

export interface TrainOptions extends CommonOptions {
  readonly variant: 'both' | 'power' | 'softmax';
  readonly out: string;
  readonly fresh: boolean;
  readonly epochs: number | undefined;
  readonly seed: number | undefined;
  /** A recipe that was tried beside the model's own. */
  readonly recipe?: string | undefined;
  /** For `stories260k`: tokens of the model that is written, at most those trained on. */
  readonly context?: number | undefined;
}

export interface EvaluateOptions extends CommonOptions {
  readonly limit: number | undefined;
}

const COMMON_HELP = `  --data DIR         folder of the data set, or the folder above it (required)
  --vocab FILE       for banking77: BERT's uncased vocab.txt (default: tokenizers/bert-base-uncased-vocab.txt in DIR or beside it)
  --checkpoints DIR  where training keeps its state (default: checkpoints/DATASET in the package)`;

const LAST_HELP = `  --json             print one JSON object as the last line of standard output
  --help             show this`;

export const TRAIN_HELP = `Usage: he-models train --task text-classification --train FILE --text COLUMN --label COLUMN --out DIR [--from FOLDER] [options]
       he-models train DATASET --data DIR [options]
       npm run train -w he-models -- DATASET --data DIR [options]     (the same, in the repository)

With --task, trains a classifier of your own texts. With DATASET, trains the model of a data set (banking77: power-banking77; ecg: power-ecg;
mnist: power-mnist-vit; sst2: power-sst2) and its softmax twin, or goes on training a softmax model with PowerSoftmax (stories260k:
power-stories-260k; DIR holds stories260k/stories260K.bin and tok512.bin, and text/tinystories-sample.txt). Converts the model to a polynomial
and writes its files. An interrupted run continues from its last completed epoch and ends with the same weights. Progress goes to standard error.

With DATASET:

${COMMON_HELP}
  --variant NAME     both, power or softmax (default: both; the model's files are only written for both)
  --out DIR          where the model's files go (default: models/NAME in the package)
  --epochs N         instead of the recipe's
  --seed N           instead of the recipe's
  --recipe NAME      another that was tried, whose figures are in the card; needs --out (checkpoints: checkpoints/DATASET-NAME in the package)
  --context N        for stories260k: tokens of the model that is written (default: 32, those that it is trained on)
  --fresh            ignore checkpoints

With --task: FILE is a CSV file with a header, a tenth of whose rows is held out; DIR becomes a model that pipeline loads, with a card.
Checkpoints are kept in DIR.checkpoints. --epochs, --seed, --checkpoints and --fresh as above.
  --from FOLDER      begin with a BERT or RoBERTa that he-models convert made a folder of; its classifier is replaced if the labels are others
  --tokens N         tokens of a text that a new model takes (default: 32); the rest is cut off
  --no-balance       rows of rare labels are not repeated
  --text COLUMN      of the texts (default: text)
  --label COLUMN     of their labels (default: label)

${LAST_HELP}`;

export const EVALUATE_HELP = `Usage: npm run evaluate -w he-models -- DATASET --data DIR [options]

DATASET is banking77, ecg, mnist or sst2. Prints the accuracy on the development examples of the shipped polynomial model and, where checkpoints
of a training run exist, of the trained PowerSoftmax form and the softmax twin.

${COMMON_HELP}
  --limit N          only the first N development examples
${LAST_HELP}`;

/** Parsed training options, or undefined if help was asked for. @throws UsageError */
export function parseTrainOptions(args: readonly string[], packageRoot: string, cwd: string): TrainOptions | undefined {
  const { values, common } = parse(args, packageRoot, cwd, TRAINABLE, {
    variant: { type: 'string', default: 'both' },
    out: { type: 'string' },
    epochs: { type: 'string' },
    seed: { type: 'string' },
    recipe: { type: 'string' },
    context: { type: 'string' },
    fresh: { type: 'boolean', default: false },
  });
  if (common === undefined) return undefined;
  const { variant, recipe } = values;
  if (typeof recipe === 'string' && typeof values.out !== 'string')
    throw new UsageError('--recipe needs --out DIR. See --help.', { recipe });
  if (variant !== 'both' && variant !== 'power' && variant !== 'softmax') {
    throw new UsageError(`--variant must be both, power or softmax, not ${String(variant)}.`, {});
  }
  return {
    ...common,
    variant,
    out:
      typeof values.out === 'string'
        ? resolve(cwd, values.out)
        : resolve(packageRoot, 'models', TRAINABLE[common.dataset] ?? common.dataset),
    fresh: values.fresh === true,
    epochs: integerOption('epochs', values.epochs, 1),
    seed: integerOption('seed', values.seed, 0),
    recipe: typeof recipe === 'string' ? recipe : undefined,
    context: integerOption('context', values.context, 2),
  };
}

/** Parsed evaluation options, or undefined if help was asked for. @throws UsageError */
export function parseEvaluateOptions(args: readonly string[], packageRoot: string, cwd: string): EvaluateOptions | undefined {
  const { values, common } = parse(args, packageRoot, cwd, DATASETS, { limit: { type: 'string' } });
  return common === undefined ? undefined : { ...common, limit: integerOption('limit', values.limit, 1) };
}

function parse(
  args: readonly string[],
  packageRoot: string,
  cwd: string,
  known: Readonly<Record<string, string>>,
  specific: OptionSpecs,
): { readonly values: OptionValues; readonly common: CommonOptions | undefined } {
  const options = {
    data: { type: 'string' },
    vocab: { type: 'string' },
    checkpoints: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
    ...specific,
  } as const;
  const { values, positionals } = parseArguments(args, options);
  if (values.help === true) return { values, common: undefined };
  const [dataset, ...rest] = positionals;
  if (dataset === undefined || rest.length > 0 || known[dataset] === undefined) {
    throw new UsageError(`Name one data set: ${Object.keys(known).join(', ')}. See --help.`, { given: positionals });
  }
  if (typeof values.data !== 'string') throw new UsageError('--data DIR is required: the folder with the data set. See --help.', {});
  const { vocab, checkpoints } = values;
  return {
    values,
    common: {
      dataset,
      data: resolve(cwd, values.data),
      vocabulary: typeof vocab === 'string' ? resolve(cwd, vocab) : undefined,
      checkpoints:
        typeof checkpoints === 'string'
          ? resolve(cwd, checkpoints)
          : resolve(packageRoot, 'checkpoints', typeof values.recipe === 'string' ? `${dataset}-${values.recipe}` : dataset),
      json: values.json === true,
    },
  };
}
