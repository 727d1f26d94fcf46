import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { normals, seededRandom } from '../src/random.js';
import { safetensorsBytes, type WrittenTensor, type WrittenTensors, type WrittenType } from './safetensors_file.js';

/** `config.json` of a checkpoint; all sizes different, so that none is taken for another. */
export interface TinyConfig {
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly vocab_size: number;
  readonly layer_norm_eps: number;
  readonly [field: string]: unknown;
}

export interface TinyCheckpoint {
  readonly config: TinyConfig;
  readonly tensors: WrittenTensors;
  /** Tokenizer files. */
  readonly tokenizer: Readonly<Record<string, string>>;
}

const SIZES = { hidden_size: 8, intermediate_size: 14, num_hidden_layers: 2, num_attention_heads: 2 };
const WORDS = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'the', 'cat', 'sat', 'on', '##s', 'a', '.', 'Mat'];

/** Random tensors under their names. */
function drawer(seed: number) {
  const random = seededRandom(seed);
  const some = (shape: readonly number[], deviation = 0.5, mean = 0): WrittenTensor => ({
    shape,
    // Numbers that all types hold exactly.
    values: normals(
      shape.reduce((product, size) => product * size, 1),
      deviation,
      random,
    ).map((value) => Math.round((mean + value) * 32) / 32),
  });
  const dense = (name: string, inputs: number, outputs: number): WrittenTensors => ({
    [`${name}.weight`]: some([outputs, inputs]),
    [`${name}.bias`]: some([outputs], 0.3),
  });
  const norm = (name: string, features: number, [gamma, beta]: readonly [string, string] = ['weight', 'bias']): WrittenTensors => ({
    [`${name}.${gamma}`]: some([features], 0.3, 1),
    [`${name}.${beta}`]: some([features], 0.3),
  });
  return { some, dense, norm };
}

/** A classifier of BERT's (or RoBERTa's) architecture. */
export function tinyBert(family: 'bert' | 'roberta' = 'bert', changes: Readonly<Record<string, unknown>> = {}): TinyCheckpoint {
  const bert = family === 'bert';
  const config: TinyConfig = {
    ...SIZES,
    architectures: [bert ? 'BertForSequenceClassification' : 'RobertaForSequenceClassification'],
    model_type: family,
    vocab_size: bert ? WORDS.length : 14,
    max_position_embeddings: bert ? 10 : 12,
    type_vocab_size: bert ? 2 : 1,
    layer_norm_eps: bert ? 1e-12 : 1e-5,
    hidden_act: 'gelu',
    pad_token_id: bert ? 0 : 1,
    id2label: { 0: 'bad', 1: 'good', 2: 'odd' },
    ...changes,
  };
  const { hidden_size: features, intermediate_size: hidden } = config;
  const { some, dense, norm } = drawer(bert ? 11 : 12);
  // The names of TensorFlow's time, which the most used checkpoints have.
  const named: readonly [string, string] = bert ? ['gamma', 'beta'] : ['weight', 'bias'];
  const layers = Array.from({ length: config.num_hidden_layers }, (_, index) => {
    const layer = `${family}.encoder.layer.${index}`;
    return {
      ...dense(`${layer}.attention.self.query`, features, features),
      ...dense(`${layer}.attention.self.key`, features, features),
      ...dense(`${layer}.attention.self.value`, features, features),
      ...dense(`${layer}.attention.output.dense`, features, features),
      ...norm(`${layer}.attention.output.LayerNorm`, features, named),
      ...dense(`${layer}.intermediate.dense`, features, hidden),
      ...dense(`${layer}.output.dense`, hidden, features),
      ...norm(`${layer}.output.LayerNorm`, features, named),
    };
  });
  const head = bert
    ? { ...dense('bert.pooler.dense', features, features), ...dense('classifier', features, 3) }
    : { ...dense('classifier.dense', features, features), ...dense('classifier.out_proj', features, 3) };
  const tensors = {
    [`${family}.embeddings.word_embeddings.weight`]: some([config.vocab_size, features]),
    [`${family}.embeddings.position_embeddings.weight`]: some([Number(config.max_position_embeddings), features]),
    [`${family}.embeddings.token_type_embeddings.weight`]: some([Number(config.type_vocab_size), features]),
    ...norm(`${family}.embeddings.LayerNorm`, features, named),
    ...Object.assign({}, ...layers),
    ...head,
  };
  const tokenizer = bert
    ? { 'vocab.txt': `${WORDS.join('\n')}\n` }
    : bytePairFiles(['<s>', '<pad>', '</s>', '<unk>', 't', 'h', 'e', 'Ġ', 'c', 'a', 'th', 'the', 'Ġc', 'at']);
  return { config, tensors, tokenizer };
}

/** A causal language model of GPT-NeoX' architecture. */
export function tinyNeox(changes: Readonly<Record<string, unknown>> = {}): TinyCheckpoint {
  const config: TinyConfig = {
    ...SIZES,
    architectures: ['GPTNeoXForCausalLM'],
    model_type: 'gpt_neox',
    vocab_size: 12,
    max_position_embeddings: 16,
    layer_norm_eps: 1e-5,
    hidden_act: 'gelu',
    rotary_pct: 0.5,
    rotary_emb_base: 10_000,
    use_parallel_residual: true,
    tie_word_embeddings: false,
    eos_token_id: 0,
    ...changes,
  };
  const { hidden_size: features, intermediate_size: hidden } = config;
  const { some, dense, norm } = drawer(13);
  const layers = Array.from({ length: config.num_hidden_layers }, (_, index) => {
    const layer = `gpt_neox.layers.${index}`;
    return {
      ...norm(`${layer}.input_layernorm`, features),
      ...norm(`${layer}.post_attention_layernorm`, features),
      ...dense(`${layer}.attention.query_key_value`, features, 3 * features),
      ...dense(`${layer}.attention.dense`, features, features),
      ...dense(`${layer}.mlp.dense_h_to_4h`, features, hidden),
      ...dense(`${layer}.mlp.dense_4h_to_h`, hidden, features),
    };
  });
  const tensors = {
    'gpt_neox.embed_in.weight': some([config.vocab_size, features]),
    ...Object.assign({}, ...layers),
    ...norm('gpt_neox.final_layer_norm', features),
    'embed_out.weight': some([config.vocab_size, features]),
  };
  return { config, tensors, tokenizer: bytePairFiles(['<|endoftext|>', 't', 'h', 'e', 'Ġ', 'c', 'a', 'th', 'the', 'Ġc', 'at', '.']) };
}

/** `vocab.json`, and `merges.txt` of pieces of two parts that are pieces. */
function bytePairFiles(pieces: readonly string[]): Readonly<Record<string, string>> {
  const merges = ['t h', 'th e', 'Ġ c', 'a t'];
  return {
    'vocab.json': JSON.stringify(Object.fromEntries(pieces.map((piece, index) => [piece, index]))),
    'merges.txt': `#version: 0.2\n${merges.join('\n')}\n`,
  };
}

/** Writes a folder as `transformers` does, its weights in `shards` files. */
export async function writeCheckpoint(
  folder: string,
  { config, tensors, tokenizer }: TinyCheckpoint,
  { dtype = 'F32', shards = 1 }: { readonly dtype?: WrittenType; readonly shards?: number } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const write = (name: string, content: string | Uint8Array) => writeFile(join(folder, name), content);
  await write('config.json', JSON.stringify(config));
  for (const [name, content] of Object.entries(tokenizer)) await write(name, content);
  if (shards === 1) return write('model.safetensors', safetensorsBytes(tensors, dtype));
  const fileOf = (index: number): string => `model-0000${(index % shards) + 1}-of-0000${shards}.safetensors`;
  const names = Object.keys(tensors);
  for (let shard = 0; shard < shards; shard += 1) {
    const inside = Object.fromEntries(Object.entries(tensors).filter((_, index) => index % shards === shard));
    await write(fileOf(shard), safetensorsBytes(inside, dtype));
  }
  const weightMap = Object.fromEntries(names.map((name, index) => [name, fileOf(index)]));
  await write('model.safetensors.index.json', JSON.stringify({ metadata: {}, weight_map: weightMap }));
}
