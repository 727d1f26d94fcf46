import { LLAMA_NORM_EPSILON, type LlamaCheckpoint, type LlamaLayer } from './checkpoint.js';

/** Reads a sequence token by token. */
export interface LlamaDecoder {
  /** Takes the next token. @returns logits of the one after it, `[vocabulary]`, a new array */
  readonly next: (token: number) => Float32Array;
}

/**
 * The forward pass of a checkpoint, one token at a time with keys and values of the past cached, on plain arrays: for sampling, where it
 * does the work of one token where a tfjs model does that of the whole sequence, and as an independent reference of that model.
 */
export function llamaDecoder(checkpoint: LlamaCheckpoint): LlamaDecoder {
  const { config, embedding, layers, finalNorm, classifier } = checkpoint;
  const { features, vocabulary } = config;
  const caches = layers.map((): Cache => ({ keys: [], values: [] }));
  return {
    next: (token) => {
      const x = embedding.slice(token * features, (token + 1) * features);
      layers.forEach((layer, index) => {
        const cache = caches[index] ?? { keys: [], values: [] };
        addTo(x, attention(normalised(x, layer.attentionNorm), layer, cache, checkpoint));
        addTo(x, feedForward(normalised(x, layer.feedForwardNorm), layer, config.hidden));
      });
      return multiply(classifier, normalised(x, finalNorm), vocabulary);
    },
  };
}

/** Keys and values of one layer, an array per token. */
interface Cache {
  readonly keys: Float32Array[];
  readonly values: Float32Array[];
}

function attention(x: Float32Array, layer: LlamaLayer, { keys, values }: Cache, { config }: LlamaCheckpoint): Float32Array {
  const { features, heads, keyValueHeads } = config;
  const size = features / heads;
  const position = keys.length;
  const query = turned(multiply(layer.query, x, features), position, size);
  keys.push(turned(multiply(layer.key, x, keyValueHeads * size), position, size));
  values.push(multiply(layer.value, x, keyValueHeads * size));
  const attended = new Float32Array(features);
  for (let head = 0; head < heads; head += 1) {
    const shared = Math.floor((head * keyValueHeads) / heads) * size;
    const scores = new Float64Array(keys.length);
    for (let t = 0; t < keys.length; t += 1) scores[t] = product(query, head * size, keys[t] ?? query, shared, size) / Math.sqrt(size);
    const weights = softmax(scores);
    for (let t = 0; t < keys.length; t += 1) {
      const [value, weight] = [values[t] ?? query, weights[t] ?? 0];
      for (let k = 0; k < size; k += 1) attended[head * size + k] = (attended[head * size + k] ?? 0) + weight * (value[shared + k] ?? 0);
    }
  }
  return multiply(layer.output, attended, features);
}

function feedForward(x: Float32Array, { gate, up, down }: LlamaLayer, hidden: number): Float32Array {
  const gated = multiply(gate, x, hidden);
  const linear = multiply(up, x, hidden);
  return multiply(
    down,
    gated.map((value, index) => (value / (1 + Math.exp(-value))) * (linear[index] ?? 0)),
    x.length,
  );
}

function normalised(x: Float32Array, gamma: Float32Array): Float32Array {
  const meanSquare = x.reduce((sum, value) => sum + value * value, 0) / x.length;
  const scale = 1 / Math.sqrt(meanSquare + LLAMA_NORM_EPSILON);
  return x.map((value, index) => value * scale * (gamma[index] ?? 0));
}

/** Rotary positions on pairs of neighbours. */
function turned(x: Float32Array, position: number, size: number): Float32Array {
  return x.map((value, index) => {
    const angle = position * 10_000 ** (-((index % size) - (index % 2)) / size);
    const other = x[index % 2 === 0 ? index + 1 : index - 1] ?? 0;
    return value * Math.cos(angle) + (index % 2 === 0 ? -other : other) * Math.sin(angle);
  });
}

/** @param matrix `[rows, x.length]` */
function multiply(matrix: Float32Array, x: Float32Array, rows: number): Float32Array {
  const result = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) result[row] = product(matrix, row * x.length, x, 0, x.length);
  return result;
}

/** Scalar product of `count` entries of each from an offset on. */
function product(a: Float32Array, aOffset: number, b: Float32Array, bOffset: number, count: number): number {
  let sum = 0;
  for (let k = 0; k < count; k += 1) sum += (a[aOffset + k] ?? 0) * (b[bOffset + k] ?? 0);
  return sum;
}

/** Probabilities in proportion to `exp(score)`; scores of any size do not overflow. */
export function softmax(scores: Float32Array | Float64Array): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < scores.length; k += 1) largest = Math.max(largest, scores[k] ?? largest);
  const powers = new Float64Array(scores.length);
  let sum = 0;
  for (let k = 0; k < scores.length; k += 1) {
    const power = Math.exp((scores[k] ?? 0) - largest);
    powers[k] = power;
    sum += power;
  }
  for (let k = 0; k < powers.length; k += 1) powers[k] = (powers[k] ?? 0) / sum;
  return powers;
}

function addTo(x: Float32Array, change: Float32Array): void {
  for (let k = 0; k < x.length; k += 1) x[k] = (x[k] ?? 0) + (change[k] ?? 0);
}
