import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../errors.js';

export const DATASETS: readonly string[] = ['banking77'];

/** Settings common to training and evaluation. */
export interface CommonOptions {
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
}

export interface EvaluateOptions extends CommonOptions {
  readonly limit: number | undefined;
}

const COMMON_HELP = `  --data DIR         folder with banking77's train.csv, or the folder above it (required)
  --vocab FILE       BERT's uncased vocab.txt (default: tokenizers/bert-base-uncased-vocab.txt in DIR or beside it)
  --checkpoints DIR  where training keeps its state (default: checkpoints/banking77 in the package)
  --json             print one JSON object as the last line of standard output
  --help             show this`;

export const TRAIN_HELP = `Usage: npm run train -w he-models -- banking77 --data DIR [options]

Trains power-banking77 and its softmax twin, converts it to a polynomial and writes the model's files. An interrupted run
continues from its last completed epoch and ends with the same weights. Progress goes to standard error.

${COMMON_HELP}
  --variant NAME     both, power or softmax (default: both; the model's files are only written for both)
  --out DIR          where the model's files go (default: models/power-banking77 in the package)
  --epochs N         instead of the recipe's
  --seed N           instead of the recipe's
  --fresh            ignore checkpoints`;

export const EVALUATE_HELP = `Usage: npm run evaluate -w he-models -- banking77 --data DIR [options]

Prints the accuracy on the development questions of the shipped polynomial model and, where checkpoints of a training run exist,
of the trained PowerSoftmax form and the softmax twin.

${COMMON_HELP}
  --limit N          only the first N development questions`;

/** Parsed training options, or undefined if help was asked for. @throws UsageError */
export function parseTrainOptions(args: readonly string[], packageRoot: string, cwd: string): TrainOptions | undefined {
  const { values, common } = parse(args, packageRoot, cwd, {
    variant: { type: 'string', default: 'both' },
    out: { type: 'string' },
    epochs: { type: 'string' },
    seed: { type: 'string' },
    fresh: { type: 'boolean', default: false },
  });
  if (common === undefined) return undefined;
  const { variant } = values;
  if (variant !== 'both' && variant !== 'power' && variant !== 'softmax') {
    throw new UsageError(`--variant must be both, power or softmax, not ${String(variant)}.`, {});
  }
  return {
    ...common,
    variant,
    out: typeof values.out === 'string' ? resolve(cwd, values.out) : resolve(packageRoot, 'models', 'power-banking77'),
    fresh: values.fresh === true,
    epochs: integerOption('epochs', values.epochs, 1),
    seed: integerOption('seed', values.seed, 0),
  };
}

/** Parsed evaluation options, or undefined if help was asked for. @throws UsageError */
export function parseEvaluateOptions(args: readonly string[], packageRoot: string, cwd: string): EvaluateOptions | undefined {
  const { values, common } = parse(args, packageRoot, cwd, { limit: { type: 'string' } });
  return common === undefined ? undefined : { ...common, limit: integerOption('limit', values.limit, 1) };
}

type OptionSpecs = Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly default?: string | boolean }>>;
type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

function parse(
  args: readonly string[],
  packageRoot: string,
  cwd: string,
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
  const { values, positionals } = parsed(args, options);
  if (values.help === true) return { values, common: undefined };
  const [dataset, ...rest] = positionals;
  if (dataset === undefined || rest.length > 0 || !DATASETS.includes(dataset)) {
    throw new UsageError(`Name one data set: ${DATASETS.join(', ')}. See --help.`, { given: positionals });
  }
  if (typeof values.data !== 'string') throw new UsageError('--data DIR is required: the folder with the data set. See --help.', {});
  const { vocab, checkpoints } = values;
  return {
    values,
    common: {
      data: resolve(cwd, values.data),
      vocabulary: typeof vocab === 'string' ? resolve(cwd, vocab) : undefined,
      checkpoints: typeof checkpoints === 'string' ? resolve(cwd, checkpoints) : resolve(packageRoot, 'checkpoints', dataset),
      json: values.json === true,
    },
  };
}

function parsed(args: readonly string[], options: OptionSpecs): { readonly values: OptionValues; readonly positionals: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return {
      values: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value])),
      positionals,
    };
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} See --help.`, {});
  }
}

function integerOption(name: string, value: string | boolean | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isSafeInteger(number) || number < least) {
    throw new UsageError(`--${name} must be an integer of at least ${least}, not ${String(value)}.`, {});
  }
  return number;
}
