import { abs, max, slice, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { PolynomialModel } from 'tfjs-power-softmax';
import { UnknownTaskError } from '../errors.js';
import { openModel } from '../hub/model_files.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import { type GenerationConfig, type HeMetadata, type TextConfig, takesArrays } from '../pretrained/config.js';
import { approximationSummaries } from '../train/artefacts.js';
import { approximationRows } from '../train/card.js';
import { fittingDefaults, fittingStepDefaults } from '../train/fitting_defaults.js';
import { type CompiledDefaults, compiledDefaults, parametersFor } from '../train/he_defaults.js';
import { digestsOf, jsonBytes, serialiseModel, writeModelFolder } from '../train/model_folder.js';
import { type InputEncoder, loadEncoder } from '../use/encoder.js';
import { stepModel } from '../use/step_model.js';

/** A folder in this package's format of a model that takes texts. */
export interface TextFolder extends Pick<InputEncoder, 'embed' | 'tokenize'> {
  readonly config: TextConfig | GenerationConfig;
  /** The client's files, which a conversion leaves as they are. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** @throws UnknownTaskError for a model of arrays, and what opening a model throws */
export async function openTextFolder(folder: string): Promise<TextFolder> {
  const files = await openModel(folder, CLIENT_BUNDLES);
  const { config } = files;
  if (takesArrays(config)) {
    throw new UnknownTaskError(
      `${config.name} takes arrays, not texts: name a model of texts, or give the inputs of this one as float32.`,
      { task: config.task },
    );
  }
  const { embed, tokenize } = await loadEncoder(files);
  const kept = ['tokenizer.json', 'embedding.bin'].map(async (name) => [name, await files.file(name)] as const);
  return { config, embed, tokenize, files: Object.fromEntries(await Promise.all(kept)) };
}

export interface PolynomialFolderOptions {
  readonly name: string;
  /** Where the model comes from. */
  readonly text: TextFolder;
  /** Names of the logits; default: those of the model it comes from. */
  readonly labels?: readonly string[];
  readonly polynomial: PolynomialModel;
  /** Inputs that the intervals were observed on, `[examples, tokens, features]`. */
  readonly calibration: Tensor;
  /** log2 of the largest value that a refresh masks; default: what the first inputs of the calibration need. */
  readonly valueBits?: number | undefined;
  /** More of `config.json`. */
  readonly more?: object;
  readonly cardOf?: CardOf;
  readonly signal?: AbortSignal | undefined;
}

/** A card without the part on encrypted runs. @param examples texts behind the intervals */
export type CardOf = (config: TextConfig | GenerationConfig, he: HeMetadata, examples: number) => string;

/** Inputs that are simulated to find the size of values; a language model's take longest. */
const SIZED_BY = { texts: 16, windows: 2 } as const;

/**
 * Writes a folder that `pipeline` loads and runs encrypted: the client's files as they are, and the polynomial.
 *
 * @throws HeError for a model that cannot be compiled, InputError for one that overflows, OutputError, or the reason of an aborted signal
 */
export async function writePolynomialFolder(directory: string, options: PolynomialFolderOptions): Promise<void> {
  const { name, text, polynomial, calibration, more, cardOf = calibratedCard } = options;
  const [examples = 0, tokens = 0, features = 0] = calibration.shape;
  const [first = 1, second] = polynomial.model.outputShape.slice(1).map(Number);
  const task = taskOf(text, name, options.labels);
  const { defaults, plan } = await defaultsOf(polynomial.model, task, options);
  const he: HeMetadata = {
    inputShape: [1, tokens, features],
    outputShape: second === undefined ? [1, first] : [1, first, second],
    maxInput: tidy(() => max(abs(calibration)).dataSync()[0] ?? 0),
    approximations: approximationSummaries(polynomial),
    tokens,
    ...defaults,
  };
  const { modelJson, weights } = await serialiseModel(polynomial.model);
  const contents = {
    ...text.files,
    'model.json': jsonBytes(modelJson),
    'weights.bin': weights,
    'report.json': jsonBytes(polynomial.report),
    'he.json': jsonBytes(he),
  };
  const config: TextConfig | GenerationConfig = { ...task, ...more, files: digestsOf(contents) };
  await writeModelFolder(directory, config, contents, cardOf(config, he, examples), plan);
}

/** Configuration of the polynomial, without its files. */
function taskOf({ config }: TextFolder, name: string, labels: readonly string[] = config.labels): TextConfig | GenerationConfig {
  const common = { name, format: 1, labels, embedding: config.embedding, files: {} } as const;
  if (config.task !== 'text-generation') return { ...common, task: 'text-classification' };
  const { special, power } = config;
  return { ...common, task: 'text-generation', ...(special === undefined ? {} : { special }), ...(power === undefined ? {} : { power }) };
}

/** Parameters and plan of what runs: where a language model has a form for one token at a time, of that form. */
async function defaultsOf(
  model: PolynomialModel['model'],
  config: TextConfig | GenerationConfig,
  { calibration, valueBits, signal }: Pick<PolynomialFolderOptions, 'calibration' | 'valueBits' | 'signal'>,
): Promise<CompiledDefaults> {
  const step = stepModel(config, model);
  const parameters = valueBits === undefined ? undefined : parametersFor(valueBits);
  if (step === undefined) {
    return parameters === undefined
      ? fittingDefaults(model, firstRows(calibration, SIZED_BY.texts), signal)
      : compiledDefaults(model, { parameters, signal });
  }
  const { model: stepped, states } = step;
  try {
    if (parameters === undefined) return await fittingStepDefaults(step, firstRows(calibration, SIZED_BY.windows), signal);
    const state = Object.fromEntries(states.map(({ name, output }) => [name, output]));
    return await compiledDefaults(stepped, { parameters, state, signal });
  } finally {
    stepped.dispose();
  }
}

function firstRows(calibration: Tensor, most: number): readonly Float32Array[] {
  const [count = 0, ...shape] = calibration.shape;
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const values = tidy(() => Float32Array.from(slice(calibration, 0, Math.min(most, count)).dataSync()));
  return Array.from({ length: values.length / size }, (_, row) => values.subarray(row * size, (row + 1) * size));
}

const calibratedCard: CardOf = ({ name, task }, he, examples) => `# ${name}

A polynomial model for ${task}, made by \`he-models convert --calibration\` from ${examples} texts; ${he.depth} levels deep. How well it does its task has not been
measured: \`he-models evaluate\` compares its encrypted form with its clear one.

| site | function | interval | degree | depth | max error |
|---|---|---|---|---|---|
${approximationRows(he)}

## Data and licence

Those of the model that it was made from.
`;
