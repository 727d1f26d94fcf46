import { abs, max, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { PolynomialModel } from 'tfjs-power-softmax';
import { UnknownTaskError } from '../errors.js';
import { openModel } from '../hub/model_files.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import { type GenerationConfig, type HeMetadata, type TextConfig, takesArrays } from '../pretrained/config.js';
import { approximationSummaries } from '../train/artefacts.js';
import { approximationRows } from '../train/card.js';
import { heDefaults } from '../train/he_defaults.js';
import { digestsOf, jsonBytes } from '../train/model_folder.js';
import { type InputEncoder, loadEncoder } from '../use/encoder.js';

/** A folder in this package's format of a model that takes texts. */
export interface TextFolder extends Pick<InputEncoder, 'embed'> {
  readonly config: TextConfig | GenerationConfig;
  /** The client's files, which a conversion leaves as they are. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/** @throws UnknownTaskError for a model of arrays, and what opening a model throws */
export async function openTextFolder(folder: string): Promise<TextFolder> {
  const files = await openModel(folder, CLIENT_BUNDLES);
  const { config } = files;
  if (takesArrays(config)) {
    throw new UnknownTaskError(`${config.name} takes arrays, not texts: give --calibration as float32.`, { task: config.task });
  }
  const { embed } = await loadEncoder(files);
  const kept = ['tokenizer.json', 'embedding.bin'].map(async (name) => [name, await files.file(name)] as const);
  return { config, embed, files: Object.fromEntries(await Promise.all(kept)) };
}

export interface PolynomialFolderOptions {
  readonly name: string;
  /** Where the model comes from. */
  readonly text: TextFolder;
  readonly polynomial: PolynomialModel;
  /** What its intervals come from, `[examples, tokens, features]`. */
  readonly calibration: Tensor;
  /** log2 of the largest value that a refresh masks. */
  readonly valueBits: number;
  /** `model.json`, `weights.bin` and what else belongs to the polynomial. */
  readonly files: Readonly<Record<string, Uint8Array>>;
}

/**
 * Every file of a folder that `pipeline` loads and runs encrypted: the client's files as they are, and the polynomial.
 *
 * @throws HeError for a model that cannot be compiled
 */
export async function polynomialFolder(options: PolynomialFolderOptions): Promise<Readonly<Record<string, Uint8Array | string>>> {
  const { name, text, polynomial, calibration, valueBits, files } = options;
  const [, tokens = 0, features = 0] = calibration.shape;
  const [first = 1, second] = polynomial.model.outputShape.slice(1).map(Number);
  const he: HeMetadata = {
    inputShape: [1, tokens, features],
    outputShape: second === undefined ? [1, first] : [1, first, second],
    maxInput: tidy(() => max(abs(calibration)).dataSync()[0] ?? 0),
    approximations: approximationSummaries(polynomial),
    tokens,
    ...(await heDefaults(polynomial.model, { securityBits: 128, precisionBits: 12, valueBits })),
  };
  const contents = { ...text.files, ...files, 'he.json': jsonBytes(he) };
  const { embedding, labels } = text.config;
  const common = { name, format: 1, labels, embedding, files: digestsOf(contents) } as const;
  const config: TextConfig | GenerationConfig =
    text.config.task === 'text-generation'
      ? { ...common, task: 'text-generation', ...(text.config.special === undefined ? {} : { special: text.config.special }) }
      : { ...common, task: 'text-classification' };
  return { ...contents, 'config.json': jsonBytes(config), 'README.md': cardOf(config, he, calibration.shape[0] ?? 0) };
}

function cardOf({ name, task }: TextConfig | GenerationConfig, he: HeMetadata, examples: number): string {
  return `# ${name}

A polynomial model for ${task}, made by \`he-models convert --calibration\` from ${examples} texts; ${he.depth} levels deep. How well it does its task has not been
measured: \`he-models evaluate\` compares its encrypted form with its clear one.

| site | function | interval | degree | depth | max error |
|---|---|---|---|---|---|
${approximationRows(he)}

## Data and licence

Those of the model that it was made from.
`;
}
