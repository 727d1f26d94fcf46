import { type RandomGenerator, restoredRandom, seededRandom } from '../../random.js';
import { createTurns } from '../../turns.js';
import type { TrainingState } from '../checkpoint.js';

/** Texts as token indices, one after the other. */
export interface TokenCorpus {
  readonly ids: Int32Array;
  /** Where each text begins in `ids`, and the end of the last. */
  readonly starts: Int32Array;
  /** For each text 1 (praise), 0 (blame) or -1 (unknown). */
  readonly polarity: Int8Array;
}

/** Settings of {@link pretrainEmbedding}. */
export interface PretrainingRecipe {
  readonly epochs: number;
  /** Most neighbours on either side that a token is guessed from. */
  readonly window: number;
  /** Tokens drawn at random for each that is guessed right. */
  readonly negatives: number;
  /** Falls to 0 linearly. */
  readonly learningRate: number;
  /** Tokens more frequent than this share are skipped with probability `1 - sqrt(share / frequency)`. */
  readonly subsample: number;
  /** Weight of guessing the review's verdict beside that of guessing a token. */
  readonly polarityWeight: number;
}

const NOISE_TABLE = 1 << 20;
const NOISE_POWER = 0.75;

/**
 * Token vectors from reviews: each token is guessed from the mean of its neighbours' vectors by negative sampling (continuous bag of words,
 * Mikolov et al., arXiv 1310.4546), and in labelled reviews that mean must also tell the verdict, so that words which occur in the same places and
 * mean the opposite come apart. Plain arrays in place of tensors: a step touches a dozen rows.
 *
 * @param onEpoch gets what `from` takes to continue, of which the parameter `token` is the result `[vocabulary * features]`
 * @param signal ends it between two texts
 * @throws the reason of an aborted signal
 */
export async function pretrainEmbedding(
  corpus: TokenCorpus,
  vocabulary: number,
  features: number,
  seed: number,
  recipe: PretrainingRecipe,
  onEpoch: (state: TrainingState) => Promise<void>,
  from?: TrainingState,
  signal?: AbortSignal,
): Promise<Float32Array> {
  const turn = createTurns(signal);
  const random = from === undefined ? seededRandom(seed) : restoredRandom(from.random);
  const weights = from === undefined ? initialWeights(vocabulary, features, random) : restoredWeights(from);
  const frequencies = frequenciesOf(corpus.ids, vocabulary);
  const noise = noiseTable(frequencies);
  const kept = frequencies.map((frequency) => Math.min(1, Math.sqrt(recipe.subsample / Math.max(frequency, 1e-12))));
  for (let epoch = from?.epoch ?? 0; epoch < recipe.epochs; epoch += 1) {
    await runEpoch(corpus, weights, { recipe, features, noise, kept, epoch }, random, turn);
    await onEpoch(stateOf(weights, epoch + 1, random));
  }
  return weights.token;
}

interface Weights {
  readonly token: Float32Array;
  readonly target: Float32Array;
  readonly polarity: Float32Array;
}

interface EpochSettings {
  readonly recipe: PretrainingRecipe;
  readonly features: number;
  readonly noise: Int32Array;
  /** Probability that a token is not skipped. */
  readonly kept: Float64Array;
  readonly epoch: number;
}

async function runEpoch(
  { ids, starts, polarity }: TokenCorpus,
  weights: Weights,
  { recipe, features, noise, kept, epoch }: EpochSettings,
  random: RandomGenerator,
  turn: () => Promise<void>,
): Promise<void> {
  const context = new Float32Array(features);
  const change = new Float32Array(features);
  const texts = starts.length - 1;
  const row: number[] = [];
  for (let text = 0; text < texts; text += 1) {
    await turn();
    const rate = recipe.learningRate * (1 - (epoch + text / texts) / recipe.epochs);
    row.length = 0;
    for (let at = starts[text] ?? 0; at < (starts[text + 1] ?? 0); at += 1) {
      const id = ids[at] ?? 0;
      if (share(random) < (kept[id] ?? 1)) row.push(id);
    }
    const verdict = polarity[text] ?? -1;
    for (let centre = 0; centre < row.length; centre += 1) {
      const reach = 1 + below(random, recipe.window);
      const first = Math.max(0, centre - reach);
      const last = Math.min(row.length - 1, centre + reach);
      if (last === first) continue;
      context.fill(0);
      change.fill(0);
      for (let i = first; i <= last; i += 1) if (i !== centre) addRow(context, weights.token, row[i] ?? 0, 1 / (last - first));
      guess(context, change, weights.target, row[centre] ?? 0, 1, rate);
      for (let n = 0; n < recipe.negatives; n += 1) {
        const other = noise[below(random, NOISE_TABLE)] ?? 0;
        if (other !== row[centre]) guess(context, change, weights.target, other, 0, rate);
      }
      if (verdict !== -1) guess(context, change, weights.polarity, 0, verdict, rate * recipe.polarityWeight);
      for (let i = first; i <= last; i += 1) if (i !== centre) addTo(weights.token, row[i] ?? 0, change);
    }
  }
}

/** One step of logistic regression on a row of `table`; `change` collects that of the context. */
function guess(context: Float32Array, change: Float32Array, table: Float32Array, index: number, truth: number, rate: number): void {
  const offset = index * context.length;
  let score = 0;
  for (let k = 0; k < context.length; k += 1) score += (context[k] ?? 0) * (table[offset + k] ?? 0);
  const slope = rate * (truth - 1 / (1 + Math.exp(-score)));
  for (let k = 0; k < context.length; k += 1) {
    const weight = table[offset + k] ?? 0;
    change[k] = (change[k] ?? 0) + slope * weight;
    table[offset + k] = weight + slope * (context[k] ?? 0);
  }
}

function addRow(sum: Float32Array, table: Float32Array, index: number, factor: number): void {
  const offset = index * sum.length;
  for (let k = 0; k < sum.length; k += 1) sum[k] = (sum[k] ?? 0) + factor * (table[offset + k] ?? 0);
}

function addTo(table: Float32Array, index: number, change: Float32Array): void {
  const offset = index * change.length;
  for (let k = 0; k < change.length; k += 1) table[offset + k] = (table[offset + k] ?? 0) + (change[k] ?? 0);
}

function frequenciesOf(ids: Int32Array, vocabulary: number): Float64Array {
  const counts = new Float64Array(vocabulary);
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts.map((count) => count / ids.length);
}

/** Tokens in proportion to `frequency^0.75`. */
function noiseTable(frequencies: Float64Array): Int32Array {
  const weights = frequencies.map((frequency) => frequency ** NOISE_POWER);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table = new Int32Array(NOISE_TABLE);
  let [token, reached] = [0, (weights[0] ?? 0) / total];
  for (let slot = 0; slot < NOISE_TABLE; slot += 1) {
    while (slot / NOISE_TABLE >= reached && token < weights.length - 1) {
      token += 1;
      reached += (weights[token] ?? 0) / total;
    }
    table[slot] = token;
  }
  return table;
}

function initialWeights(vocabulary: number, features: number, random: RandomGenerator): Weights {
  const token = Float32Array.from({ length: vocabulary * features }, () => (share(random) - 0.5) / features);
  return { token, target: new Float32Array(vocabulary * features), polarity: new Float32Array(features) };
}

const PARTS = ['token', 'target', 'polarity'] as const;

function stateOf(weights: Weights, epoch: number, random: RandomGenerator): TrainingState {
  const none = new Float32Array(0);
  const parameters = PARTS.map((name) => ({ name, values: weights[name], first: none, second: none }));
  return { epoch, step: epoch, random: [...random.getState()], parameters };
}

function restoredWeights({ parameters }: TrainingState): Weights {
  const [token, target, polarity] = PARTS.map((part) => parameters.find(({ name }) => name === part)?.values ?? new Float32Array(0));
  return { token: token ?? new Float32Array(0), target: target ?? new Float32Array(0), polarity: polarity ?? new Float32Array(0) };
}

/** Uniform in [0, 1). */
function share(random: RandomGenerator): number {
  return (random.next() >>> 0) / 2 ** 32;
}

/** Uniform integer in [0, bound). */
function below(random: RandomGenerator, bound: number): number {
  return Math.floor(share(random) * bound);
}
