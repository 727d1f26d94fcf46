import { AssetError, UnknownModelError } from '../errors.js';

/** Sizes that all architectures have. */
interface TransformerSizes {
  readonly features: number;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly vocabulary: number;
  /** Longest sequence that it has positions for. */
  readonly maxTokens: number;
  /** Added to variances. */
  readonly normEpsilon: number;
  /** Whether the checkpoint's GELU is the approximation by tanh. */
  readonly tanhGelu: boolean;
}

/** BERT, or RoBERTa, which counts its positions from `firstPosition` on. */
export interface BertArchitecture extends TransformerSizes {
  readonly family: 'bert' | 'roberta';
  /** Rows of the position table. */
  readonly positions: number;
  /** Position of the first token: 0, or RoBERTa's `padding_idx + 1`. */
  readonly firstPosition: number;
  readonly segments: number;
  /** Names of the classes, unless the checkpoint is no classifier. */
  readonly labels: readonly string[] | undefined;
}

export interface NeoxArchitecture extends TransformerSizes {
  readonly family: 'gpt_neox';
  /** Features of each head that rotary positions turn. */
  readonly rotaryDim: number;
  readonly rotaryBase: number;
  /** `x + attention(norm(x)) + feedForward(norm'(x))` rather than one after the other. */
  readonly parallelResidual: boolean;
  readonly attentionBias: boolean;
  /** Whether logits come from the embedding's own weights. */
  readonly tied: boolean;
  /** Token that ends a text. */
  readonly endToken: number | undefined;
}

export type Architecture = BertArchitecture | NeoxArchitecture;

type Family = Architecture['family'];

/** Classes of `transformers` whose checkpoints are read; those without classifier get a new one. */
const CLASSES: Readonly<Record<string, { readonly family: Family; readonly classifies: boolean }>> = {
  BertForSequenceClassification: { family: 'bert', classifies: true },
  BertModel: { family: 'bert', classifies: false },
  BertForMaskedLM: { family: 'bert', classifies: false },
  BertForPreTraining: { family: 'bert', classifies: false },
  RobertaForSequenceClassification: { family: 'roberta', classifies: true },
  RobertaModel: { family: 'roberta', classifies: false },
  RobertaForMaskedLM: { family: 'roberta', classifies: false },
  GPTNeoXForCausalLM: { family: 'gpt_neox', classifies: false },
};

/** All that compute GELU; the others approximate it by tanh, with a difference of at most 5e-4. */
const EXACT_GELU = ['gelu', 'gelu_python'];
const TANH_GELU = ['gelu_new', 'gelu_fast', 'gelu_pytorch_tanh', 'gelu_accurate'];
const MAX_SIZE = 1 << 20;

type Fields = Readonly<Record<string, unknown>>;

/**
 * What `config.json` of a Hugging Face folder says of the model.
 *
 * @throws UnknownModelError for an architecture that is not read, with the list of those that are; AssetError for a field that is missing, out of
 * range, or asks for what this package has no layer for
 */
export function parseArchitecture(value: unknown): { readonly name: string; readonly architecture: Architecture } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('is no object');
  const config: Fields = Object.fromEntries(Object.entries(value));
  const name = Array.isArray(config.architectures) ? String(config.architectures[0]) : String(config.model_type);
  const known = Object.hasOwn(CLASSES, name) ? CLASSES[name] : undefined;
  if (known === undefined) {
    const names = Object.keys(CLASSES);
    throw new UnknownModelError(`config.json is of the architecture ${name}: those that can be converted are ${names.join(', ')}.`, {
      architecture: name,
      known: names,
    });
  }
  const { family, classifies } = known;
  return { name, architecture: family === 'gpt_neox' ? neoxOf(config) : bertOf(config, family, classifies) };
}

function bertOf(config: Fields, family: 'bert' | 'roberta', classifies: boolean): BertArchitecture {
  forbid(config, 'position_embedding_type', ['absolute']);
  forbid(config, 'is_decoder', [false]);
  const positions = sizeOf(config, 'max_position_embeddings', 512);
  const firstPosition = family === 'roberta' ? integerOf(config, 'pad_token_id', 1) + 1 : 0;
  if (firstPosition >= positions) throw wrong(`has no position left after pad_token_id ${firstPosition - 1}`);
  return {
    family,
    ...transformerSizes(config, positions - firstPosition, 'gelu', 1e-12),
    positions,
    firstPosition,
    segments: sizeOf(config, 'type_vocab_size', 2),
    labels: classifies ? labelsOf(config) : undefined,
  };
}

function neoxOf(config: Fields): NeoxArchitecture {
  forbid(config, 'rope_scaling', [null]);
  const rope = typeof config.rope_parameters === 'object' && config.rope_parameters !== null ? config.rope_parameters : {};
  const rotation: Fields = { ...config, ...rope };
  forbid(rotation, 'rope_type', ['default']);
  const sizes = transformerSizes(config, sizeOf(config, 'max_position_embeddings', 2048), 'gelu', 1e-5);
  const share = numberOf(rotation, 'partial_rotary_factor' in rotation ? 'partial_rotary_factor' : 'rotary_pct', 0.25);
  const rotaryDim = Math.floor((sizes.features / sizes.heads) * share);
  if (rotaryDim < 2 || rotaryDim % 2 !== 0 || rotaryDim > sizes.features / sizes.heads) {
    throw wrong(`turns ${rotaryDim} features of a head of ${sizes.features / sizes.heads} (rotary_pct): an even number is needed`);
  }
  const end = config.eos_token_id;
  return {
    family: 'gpt_neox',
    ...sizes,
    rotaryDim,
    rotaryBase: numberOf(rotation, 'rope_theta' in rotation ? 'rope_theta' : 'rotary_emb_base', 10_000),
    parallelResidual: config.use_parallel_residual !== false,
    attentionBias: config.attention_bias !== false,
    tied: config.tie_word_embeddings === true,
    endToken: typeof end === 'number' && Number.isInteger(end) && end >= 0 && end < sizes.vocabulary ? end : undefined,
  };
}

function transformerSizes(config: Fields, maxTokens: number, activation: string, normEpsilon: number): TransformerSizes {
  const act = String(config.hidden_act ?? activation);
  if (![...EXACT_GELU, ...TANH_GELU].includes(act)) {
    throw wrong(`has hidden_act ${act}, which no layer here computes: known are ${[...EXACT_GELU, ...TANH_GELU].join(', ')}`);
  }
  const [features, heads] = [sizeOf(config, 'hidden_size'), sizeOf(config, 'num_attention_heads')];
  if (features % heads !== 0) throw wrong(`has ${features} features (hidden_size) for ${heads} heads, which do not divide`);
  return {
    features,
    heads,
    hidden: sizeOf(config, 'intermediate_size'),
    layers: sizeOf(config, 'num_hidden_layers'),
    vocabulary: sizeOf(config, 'vocab_size'),
    maxTokens,
    normEpsilon: numberOf(config, 'layer_norm_eps', normEpsilon),
    tanhGelu: TANH_GELU.includes(act),
  };
}

function labelsOf({ id2label, num_labels: count }: Fields): readonly string[] {
  if (typeof id2label !== 'object' || id2label === null) {
    const labels = typeof count === 'number' && Number.isInteger(count) && count > 0 && count <= MAX_SIZE ? count : 2;
    return Array.from({ length: labels }, (_, index) => `LABEL_${index}`);
  }
  const byId = new Map(Object.entries(id2label).map(([id, label]) => [Number(id), label]));
  const labels = Array.from({ length: byId.size }, (_, index) => byId.get(index));
  if (labels.length === 0 || !labels.every((label) => typeof label === 'string')) {
    throw wrong('has an id2label that does not name the classes 0, 1, 2 and so on');
  }
  return labels;
}

/** @throws AssetError unless the field is absent or one of the values that are understood */
function forbid(config: Fields, field: string, understood: readonly unknown[]): void {
  const value = config[field];
  if (value === undefined || understood.includes(value)) return;
  throw wrong(`has ${field} ${JSON.stringify(value)}, which is not converted`);
}

function sizeOf(config: Fields, field: string, otherwise?: number): number {
  const size = integerOf(config, field, otherwise);
  if (size < 1 || size > MAX_SIZE) throw wrong(`has ${field} ${size}`);
  return size;
}

function integerOf(config: Fields, field: string, otherwise?: number): number {
  const number = numberOf(config, field, otherwise);
  if (!Number.isInteger(number)) throw wrong(`has ${field} ${number}`);
  return number;
}

function numberOf(config: Fields, field: string, otherwise?: number): number {
  const value = config[field] ?? otherwise;
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw wrong(`has no sound ${field}: ${JSON.stringify(value)}`);
  return value;
}

function wrong(what: string): AssetError {
  return new AssetError(`config.json of the checkpoint ${what}.`, { file: 'config.json' });
}
