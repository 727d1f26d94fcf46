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

/** Of one layer, one entry per token. */
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
    const scores = keys.map((key) => {
      let sum = 0;
      for (let k = 0; k < size; k += 1) sum += (query[head * size + k] ?? 0) * (key[shared + k] ?? 0);
      return sum / Math.sqrt(size);
    });
    softmax(scores).forEach((weight, t) => {
      const value = values[t] ?? new Float32Array();
      for (let k = 0; k < size; k += 1) attended[head * size + k] = (attended[head * size + k] ?? 0) + weight * (value[shared + k] ?? 0);
    });
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
  const columns = x.length;
  const product = new Float32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    let sum = 0;
    for (let k = 0, at = row * columns; k < columns; k += 1, at += 1) sum += (matrix[at] ?? 0) * (x[k] ?? 0);
    product[row] = sum;
  }
  return product;
}

/** Of numbers of any size. */
export function softmax(scores: ArrayLike<number>): Float64Array {
  let largest = Number.NEGATIVE_INFINITY;
  for (let k = 0; k < scores.length; k += 1) largest = Math.max(largest, scores[k] ?? largest);
  const powers = Float64Array.from({ length: scores.length }, (_, k) => Math.exp((scores[k] ?? 0) - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / sum);
}

function addTo(x: Float32Array, change: Float32Array): void {
  for (let k = 0; k < x.length; k += 1) x[k] = (x[k] ?? 0) + (change[k] ?? 0);
}
