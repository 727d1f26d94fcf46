import { AssetError } from '../errors.js';
import { floatsAt } from '../pretrained/assets.js';

/** Sizes of a Llama-style language model. */
export interface LlamaConfig {
  /** Width of the residual stream; a multiple of twice `heads`. */
  readonly features: number;
  /** Units of the gated feed-forward network. */
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  /** Heads of keys and values, each shared by `heads / keyValueHeads` heads of queries. */
  readonly keyValueHeads: number;
  readonly vocabulary: number;
  /** Longest sequence that it was trained on. */
  readonly maxTokens: number;
}

/** Weights of one block. Matrices are stored as llama2.c does, one row per output: `[outputs, inputs]`. */
export interface LlamaLayer {
  /** `[features]` */
  readonly attentionNorm: Float32Array;
  /** `[features, features]`; pairs of neighbouring outputs of a head are turned together by rotary positions. */
  readonly query: Float32Array;
  /** `[keyValueHeads * headSize, features]`, paired as `query`. */
  readonly key: Float32Array;
  /** `[keyValueHeads * headSize, features]` */
  readonly value: Float32Array;
  /** `[features, features]` */
  readonly output: Float32Array;
  /** `[features]` */
  readonly feedForwardNorm: Float32Array;
  /** `[hidden, features]`, goes through SiLU. */
  readonly gate: Float32Array;
  /** `[features, hidden]` */
  readonly down: Float32Array;
  /** `[hidden, features]`, multiplied by the gate. */
  readonly up: Float32Array;
}

export interface LlamaCheckpoint {
  readonly config: LlamaConfig;
  /** `[vocabulary, features]` */
  readonly embedding: Float32Array;
  readonly layers: readonly LlamaLayer[];
  /** `[features]` */
  readonly finalNorm: Float32Array;
  /** `[vocabulary, features]`: the embedding itself where the checkpoint shares it. */
  readonly classifier: Float32Array;
}

/** Added to the mean square in every normalisation of llama2.c. */
export const LLAMA_NORM_EPSILON = 1e-5;

const HEADER_FIELDS = ['features', 'hidden', 'layers', 'heads', 'keyValueHeads', 'vocabulary', 'maxTokens'] as const;
const HEADER_BYTES = 4 * HEADER_FIELDS.length;
const MAX_SIZE = 1 << 20;

/**
 * Reads a checkpoint of llama2.c, version 0 (github.com/karpathy/llama2.c, `export.py: legacy_export`): seven int32, then float32 tensors,
 * little-endian, those of one kind for all layers after another. A negative vocabulary means that the classifier has weights of its own.
 *
 * @param name for messages
 * @throws AssetError for sizes that fit no model, a file shorter or longer than they say, or weights that are not finite
 */
export function parseLlamaCheckpoint(bytes: Uint8Array, name = 'the checkpoint'): LlamaCheckpoint {
  const { config, shared } = parseHeader(bytes, name);
  const { features, hidden, layers, heads, keyValueHeads, vocabulary, maxTokens } = config;
  const headSize = features / heads;
  const keys = keyValueHeads * headSize;
  // Tables of cosines and sines, which follow from the sizes.
  const rotations = maxTokens * headSize;
  const layerSize = 2 * features + (2 * features + 2 * keys) * features + 3 * hidden * features;
  const count = vocabulary * features * (shared ? 1 : 2) + layers * layerSize + features + rotations;
  if (bytes.length !== HEADER_BYTES + 4 * count) {
    throw new AssetError(`${name} has ${bytes.length} bytes where its header asks for ${HEADER_BYTES + 4 * count}: get it again.`, {
      bytes: bytes.length,
      expected: HEADER_BYTES + 4 * count,
    });
  }
  let offset = HEADER_BYTES / 4;
  const take = (size: number): Float32Array => {
    const values = floatsAt(bytes, offset, size);
    if (!values.every(Number.isFinite)) throw new AssetError(`${name} holds weights that are not finite: get it again.`, { offset });
    offset += size;
    return values;
  };
  const takeLayers = (size: number): readonly Float32Array[] => Array.from({ length: layers }, () => take(size));
  const embedding = take(vocabulary * features);
  const attentionNorm = takeLayers(features);
  const query = takeLayers(features * features);
  const key = takeLayers(keys * features);
  const value = takeLayers(keys * features);
  const output = takeLayers(features * features);
  const feedForwardNorm = takeLayers(features);
  const gate = takeLayers(hidden * features);
  const down = takeLayers(features * hidden);
  const up = takeLayers(hidden * features);
  const finalNorm = take(features);
  offset += rotations;
  const classifier = shared ? embedding : take(vocabulary * features);
  const none = new Float32Array();
  const blocks = attentionNorm.map(
    (norm, index): LlamaLayer => ({
      attentionNorm: norm,
      query: query[index] ?? none,
      key: key[index] ?? none,
      value: value[index] ?? none,
      output: output[index] ?? none,
      feedForwardNorm: feedForwardNorm[index] ?? none,
      gate: gate[index] ?? none,
      down: down[index] ?? none,
      up: up[index] ?? none,
    }),
  );
  return { config, embedding, layers: blocks, finalNorm, classifier };
}

function parseHeader(bytes: Uint8Array, name: string): { readonly config: LlamaConfig; readonly shared: boolean } {
  if (bytes.length < HEADER_BYTES) throw new AssetError(`${name} is no llama2.c checkpoint: it is shorter than its header.`, {});
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  const [features = 0, hidden = 0, layers = 0, heads = 0, keyValueHeads = 0, signedVocabulary = 0, maxTokens = 0] = HEADER_FIELDS.map(
    (_, index) => view.getInt32(4 * index, true),
  );
  const config: LlamaConfig = {
    features,
    hidden,
    layers,
    heads,
    keyValueHeads,
    vocabulary: Math.abs(signedVocabulary),
    maxTokens,
  };
  const wrong = HEADER_FIELDS.find((field) => config[field] < 1 || config[field] > MAX_SIZE);
  if (wrong !== undefined) {
    throw new AssetError(`${name} is no llama2.c checkpoint of version 0: its header says ${wrong} = ${config[wrong]}.`, { field: wrong });
  }
  if (features % (2 * heads) !== 0 || heads % keyValueHeads !== 0) {
    throw new AssetError(
      `${name} has ${features} features in ${heads} heads and ${keyValueHeads} of keys, which do not divide: it is no llama2.c checkpoint of version 0.`,
      { features, heads, keyValueHeads },
    );
  }
  return { config, shared: signedVocabulary > 0 };
}
