import type { IntervalCheck, PolynomialModel } from 'tfjs-power-softmax';
import type { Accuracies, ApproximationSummary, ClassScores, HeMetadata, ModelConfig } from '../pretrained/config.js';
import type { EmbeddingWeights } from '../text/token_embedding.js';
import type { TokenizerJson } from '../text/tokenizer_json.js';
import { modelCard, type TextCardText } from './card.js';
import { fittingDefaults } from './fitting_defaults.js';
import { compiledDefaults } from './he_defaults.js';
import { digestsOf, jsonBytes, littleEndian, serialiseModel, writeModelFolder } from './model_folder.js';
import type { Recipe } from './recipe.js';

/** Everything that a shipped model consists of. */
export interface TrainedModel {
  readonly name: string;
  /** Default: that of power-banking77. */
  readonly card?: TextCardText;
  readonly recipe: Recipe;
  readonly labels: readonly string[];
  readonly tokenizer: TokenizerJson;
  readonly embedding: EmbeddingWeights;
  readonly polynomial: PolynomialModel;
  readonly maxInput: number;
  readonly maxLogit: number;
  /** Embedded inputs that are simulated to find the size of values; default: none, and values of up to 2^6. */
  readonly samples?: readonly Float32Array[];
  readonly devQuestions: number;
  readonly accuracy: Accuracies;
  readonly classes?: ClassScores;
  /** From the development questions. */
  readonly intervals: readonly IntervalCheck[];
}

/**
 * Writes a model's folder: configuration with digests, both parts' weights, tokenizer and card.
 *
 * @throws HeError for a model that cannot be compiled, InputError for one that overflows, OutputError, or the reason of an aborted signal
 */
export async function writeArtefacts(directory: string, trained: TrainedModel, signal?: AbortSignal): Promise<ModelConfig> {
  const { modelJson, weights } = await serialiseModel(trained.polynomial.model);
  const { polynomial, samples } = trained;
  const { defaults, plan } =
    samples === undefined ? await compiledDefaults(polynomial.model, { signal }) : await fittingDefaults(polynomial.model, samples, signal);
  const he = heMetadata(trained, defaults);
  const { token, position, gamma, beta } = trained.embedding;
  const contents: Readonly<Record<string, Uint8Array>> = {
    'tokenizer.json': jsonBytes(trained.tokenizer),
    'embedding.bin': littleEndian([token, position, gamma, beta]),
    'he.json': jsonBytes(he),
    'model.json': jsonBytes(modelJson),
    'weights.bin': weights,
  };
  const { architecture } = trained.recipe;
  const config: ModelConfig = {
    name: trained.name,
    format: 1,
    task: 'text-classification',
    architecture,
    labels: trained.labels,
    embedding: { vocabularySize: token.length / gamma.length, features: architecture.features, maxTokens: architecture.maxTokens },
    recipe: trained.recipe,
    devQuestions: trained.devQuestions,
    accuracy: trained.accuracy,
    ...(trained.classes === undefined ? {} : { classes: trained.classes }),
    outsideIntervals: trained.intervals.reduce((sum, { outside }) => sum + outside, 0),
    approximatedValues: trained.intervals.reduce((sum, { count }) => sum + count, 0),
    parameters: { client: token.length + position.length + gamma.length + beta.length, server: weights.length / 4 },
    files: digestsOf(contents),
  };
  await writeModelFolder(directory, config, contents, modelCard(config, he, trained.card), plan);
  return config;
}

function heMetadata(
  { polynomial, recipe, labels, maxInput, maxLogit }: TrainedModel,
  defaults: Pick<HeMetadata, 'depth' | 'parameters'>,
): HeMetadata {
  const { maxTokens, features } = recipe.architecture;
  return {
    inputShape: [1, maxTokens, features],
    outputShape: [1, labels.length],
    maxInput,
    maxLogit,
    approximations: approximationSummaries(polynomial),
    tokens: maxTokens,
    ...defaults,
  };
}

/** What `he.json` says of each site. */
export function approximationSummaries({ report }: PolynomialModel): readonly ApproximationSummary[] {
  return report.sites.map(({ site, function: name, interval, degree, depth, maxError }) => ({
    site,
    function: name,
    interval,
    degree,
    depth,
    maxError,
  }));
}
