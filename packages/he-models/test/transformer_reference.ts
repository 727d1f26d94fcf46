import type { TinyCheckpoint } from './tiny_checkpoints.js';

/**
 * Forward passes of BERT, RoBERTa and GPT-NeoX on plain arrays in float64, written from the papers and PyTorch's conventions (a weight has a row per
 * output), to compare with. They share nothing with the package.
 */

type Row = readonly number[];
type Rows = readonly Row[];

/** How scores become weights: softmax, or PowerSoftmax with the mean of powers (arXiv 2410.09457). */
export type Normaliser = 'softmax' | PowerNormaliser;

interface PowerNormaliser {
  readonly p: number;
  readonly epsilon: number;
  /** Tokens that the mean is over, padding included, whose scores are zero. Default: as many as there are scores. */
  readonly length?: number;
}

interface Options {
  readonly normaliser?: Normaliser;
  /** In place of that of the configuration, in the blocks. */
  readonly normEpsilon?: number;
}

const add = (a: Row, b: Row): Row => a.map((value, k) => value + b[k]!);
const dot = (a: Row, b: Row): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0);

function weightsOf({ tensors }: TinyCheckpoint) {
  const row = (name: string): Row => Array.from(tensors[name]!.values);
  const matrix = (name: string): Rows => {
    const { shape, values } = tensors[name]!;
    return Array.from({ length: shape[0]! }, (_, r) => Array.from({ length: shape[1]! }, (_, c) => values[r * shape[1]! + c]!));
  };
  const dense = (name: string, x: Row): Row =>
    add(
      matrix(`${name}.weight`).map((outputs) => dot(outputs, x)),
      row(`${name}.bias`),
    );
  const norm = (name: string, x: Row, epsilon: number): Row => {
    const [gamma, beta] =
      `${name}.gamma` in tensors ? [row(`${name}.gamma`), row(`${name}.beta`)] : [row(`${name}.weight`), row(`${name}.bias`)];
    const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
    const variance = x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length;
    return x.map((value, k) => ((value - mean) / Math.sqrt(variance + epsilon)) * gamma[k]! + beta[k]!);
  };
  return { row, matrix, dense, norm };
}

/** `erf` by its Taylor series, or 1 - erfc by its continued fraction where that converges faster. */
function erf(x: number): number {
  if (x < 0) return -erf(-x);
  if (x > 3) {
    let fraction = x;
    for (let k = 60; k >= 1; k -= 1) fraction = x + k / 2 / fraction;
    return 1 - Math.exp(-x * x) / (fraction * Math.sqrt(Math.PI));
  }
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n += 1) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));

function normalise(scores: Row, normaliser: Normaliser): Row {
  if (normaliser === 'softmax') {
    const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
    const sum = powers.reduce((total, power) => total + power, 0);
    return powers.map((power) => power / sum);
  }
  const powers = scores.map((score) => score ** normaliser.p);
  const { epsilon, length = scores.length } = normaliser;
  const mean = powers.reduce((total, power) => total + power, 0) / length;
  return powers.map((power) => power / length / (mean + epsilon));
}

/** @param visible number of first tokens that a query sees */
function attend(query: Rows, key: Rows, value: Rows, heads: number, visible: (t: number) => number, normaliser: Normaliser): Rows {
  const size = query[0]!.length / heads;
  const part = (row: Row, head: number): Row => row.slice(head * size, (head + 1) * size);
  return query.map((row, t) =>
    Array.from({ length: heads }, (_, head) => {
      const seen = key.slice(0, visible(t));
      const weights = normalise(
        seen.map((other) => dot(part(row, head), part(other, head)) / Math.sqrt(size)),
        normaliser,
      );
      return Array.from({ length: size }, (_, k) => weights.reduce((sum, weight, s) => sum + weight * value[s]![head * size + k]!, 0));
    }).flat(),
  );
}

/** Logits of a text in one segment. `poolerTanh` false leaves tanh out. */
export function bertLogits(
  checkpoint: TinyCheckpoint,
  ids: readonly number[],
  { normaliser = 'softmax', normEpsilon, poolerTanh = true }: Options & { readonly poolerTanh?: boolean } = {},
): Row {
  const { config } = checkpoint;
  const { matrix, dense, norm } = weightsOf(checkpoint);
  const roberta = config.model_type === 'roberta';
  const family = roberta ? 'roberta' : 'bert';
  const embeddings = `${family}.embeddings`;
  const [tokens, positions, segments] = ['word', 'position', 'token_type'].map((kind) => matrix(`${embeddings}.${kind}_embeddings.weight`));
  const first = roberta ? Number(config.pad_token_id) + 1 : 0;
  const epsilon = normEpsilon ?? config.layer_norm_eps;
  let x: Rows = ids.map((id, t) =>
    norm(`${embeddings}.LayerNorm`, add(add(tokens![id]!, positions![first + t]!), segments![0]!), config.layer_norm_eps),
  );
  for (let index = 0; index < config.num_hidden_layers; index += 1) {
    const layer = `${family}.encoder.layer.${index}`;
    const project = (name: string): Rows => x.map((row) => dense(`${layer}.attention.self.${name}`, row));
    const attended = attend(project('query'), project('key'), project('value'), config.num_attention_heads, () => ids.length, normaliser);
    x = x.map((row, t) =>
      norm(`${layer}.attention.output.LayerNorm`, add(row, dense(`${layer}.attention.output.dense`, attended[t]!)), epsilon),
    );
    x = x.map((row) => {
      const hidden = dense(`${layer}.intermediate.dense`, row).map(gelu);
      return norm(`${layer}.output.LayerNorm`, add(row, dense(`${layer}.output.dense`, hidden)), epsilon);
    });
  }
  const [pooler, classifier] = roberta ? ['classifier.dense', 'classifier.out_proj'] : ['bert.pooler.dense', 'classifier'];
  const pooled = dense(pooler!, x[0]!);
  return dense(classifier!, poolerTanh ? pooled.map(Math.tanh) : pooled);
}

/** Logits of the successor of every token. */
export function neoxLogits(
  checkpoint: TinyCheckpoint,
  ids: readonly number[],
  { normaliser = 'softmax', normEpsilon }: Options = {},
): Rows {
  const { config } = checkpoint;
  const { matrix, dense, norm } = weightsOf(checkpoint);
  const { num_attention_heads: heads, hidden_size: features, layer_norm_eps: own } = config;
  const size = features / heads;
  const turned = size * Number(config.rotary_pct);
  const epsilon = normEpsilon ?? own;
  /** GPT-NeoX pairs a feature with the one half of the turned part further. */
  const rotate = (head: Row, t: number): Row =>
    head.map((value, k) => {
      if (k >= turned) return value;
      const angle = t / Number(config.rotary_emb_base) ** ((2 * (k % (turned / 2))) / turned);
      const other = k < turned / 2 ? -head[k + turned / 2]! : head[k - turned / 2]!;
      return value * Math.cos(angle) + other * Math.sin(angle);
    });
  const embedding = matrix('gpt_neox.embed_in.weight');
  let x: Rows = ids.map((id) => embedding[id]!);
  for (let index = 0; index < config.num_hidden_layers; index += 1) {
    const layer = `gpt_neox.layers.${index}`;
    const fused = x.map((row) => dense(`${layer}.attention.query_key_value`, norm(`${layer}.input_layernorm`, row, epsilon)));
    // [heads, (query, key, value), size]
    const parts = [0, 1, 2].map((part) =>
      fused.map((row, t) =>
        Array.from({ length: heads }, (_, head) => {
          const own = row.slice((3 * head + part) * size, (3 * head + part + 1) * size);
          return part === 2 ? own : rotate(own, t);
        }).flat(),
      ),
    );
    const attended = attend(parts[0]!, parts[1]!, parts[2]!, heads, (t) => t + 1, normaliser).map((row) =>
      dense(`${layer}.attention.dense`, row),
    );
    const feedForward = (row: Row): Row =>
      dense(
        `${layer}.mlp.dense_4h_to_h`,
        dense(`${layer}.mlp.dense_h_to_4h`, norm(`${layer}.post_attention_layernorm`, row, epsilon)).map(gelu),
      );
    x = x.map((row, t) => {
      const between = add(row, attended[t]!);
      return add(between, feedForward(config.use_parallel_residual === false ? between : row));
    });
  }
  const output = config.tie_word_embeddings === true ? embedding : matrix('embed_out.weight');
  return x.map((row) => {
    const final = norm('gpt_neox.final_layer_norm', row, epsilon);
    return output.map((weights) => dot(weights, final));
  });
}
