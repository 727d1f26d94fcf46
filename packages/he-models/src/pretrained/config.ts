import type { CompileOptions } from 'tfjs-he-backend';
import type { PatchGrid } from '../patches/patch_grid.js';
import type { Architecture, Recipe } from '../train/recipe.js';

/** Digest of a shipped file. */
export interface FileDigest {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Tasks whose logits stand for labels. */
export type ClassificationTask = 'text-classification' | 'signal-classification' | 'image-classification';

/** What a model does with its input. */
export type Task = ClassificationTask | 'text-generation';

export const TASKS: readonly Task[] = ['text-classification', 'signal-classification', 'image-classification', 'text-generation'];

/** Sizes of `embedding.bin` of a text model: token, position, gamma and beta, one after the other, as little-endian float32. */
export interface TextEmbeddingConfig {
  readonly vocabularySize: number;
  readonly features: number;
  readonly maxTokens: number;
  /** Added to the variance in the embedding's LayerNorm. Default 1e-6. */
  readonly normEpsilon?: number;
}

/** Sizes of `embedding.bin` of a model of patches: projection, position, gamma and beta. */
export interface PatchEmbeddingConfig {
  readonly grid: PatchGrid;
  readonly features: number;
}

interface AnyConfig {
  readonly name: string;
  readonly format: 1;
  /** Names of the logits, in order. */
  readonly labels: readonly string[];
  /** Digests of all files but `config.json` and what is about the model: `README.md`, `encrypted.json`. */
  readonly files: Readonly<Record<string, FileDigest>>;
}

export interface TextConfig extends AnyConfig {
  /** Default `text-classification`. */
  readonly task?: 'text-classification';
  readonly embedding: TextEmbeddingConfig;
}

export interface PatchConfig extends AnyConfig {
  readonly task: 'signal-classification' | 'image-classification';
  readonly embedding: PatchEmbeddingConfig;
}

/** A causal language model: its logits are those of each token's successor, and its labels the pieces of the vocabulary. */
export interface GenerationConfig extends AnyConfig {
  readonly task: 'text-generation';
  /** Of `embedding.bin`: `[vocabularySize, features]`. */
  readonly embedding: TextEmbeddingConfig;
  /** Tokens that texts begin and end with, or null; default: 1 and 1, as in the vocabularies of llama2.c, whose spaces begin words. */
  readonly special?: { readonly begin: number | null; readonly end: number | null };
  /** Even power of the attention. Default 4. */
  readonly power?: number;
}

/** What `config.json` of any model must hold; models of this package say more. */
export type PretrainedConfig = TextConfig | PatchConfig | GenerationConfig;

/** Whether a model takes arrays; the others take texts. */
export function takesArrays(config: PretrainedConfig): config is PatchConfig {
  return config.task === 'signal-classification' || config.task === 'image-classification';
}

/** Share of the development questions whose intent ranks first, in [0, 1]. */
export interface Accuracies {
  /** Twin with softmax, trained with the same recipe. */
  readonly softmax: number;
  /** Trained form: PowerSoftmax with exact reciprocal, inverse square root and GELU. */
  readonly powerSoftmax: number;
  /** Shipped form, evaluated through the shipped tokenizer and embedding. */
  readonly polynomial: number;
}

/** Of a model of a user's table, whose labels may be of very unequal frequency. F1 is in [0, 1]. */
export interface ClassScores {
  /** Mean F1 over the labels that have development questions. */
  readonly macroF1: Accuracies;
  /** What naming the same label every time would be right for. */
  readonly mostFrequent: { readonly label: string; readonly share: number };
  /** F1 of the polynomial form; null for a label without development questions. */
  readonly perLabel: readonly { readonly label: string; readonly questions: number; readonly f1: number | null }[];
}

/** `config.json` of a text model that the training command wrote. */
export interface ModelConfig extends TextConfig {
  readonly architecture: Architecture;
  readonly recipe: Recipe;
  /** Held-out questions behind the accuracies. */
  readonly devQuestions: number;
  readonly accuracy: Accuracies;
  readonly classes?: ClassScores;
  /** How many of the values to be approximated were outside their interval on the development questions. */
  readonly outsideIntervals: number;
  readonly approximatedValues: number;
  /** Numbers of weights on either side. */
  readonly parameters: { readonly client: number; readonly server: number };
}

/** One function that a polynomial stands in for. */
export interface ApproximationSummary {
  readonly site: string;
  readonly function: 'reciprocal' | 'rsqrt' | 'gelu' | 'silu';
  readonly interval: readonly [lower: number, upper: number];
  readonly degree: number;
  readonly depth: number;
  /** Relative for `reciprocal` and `rsqrt`, absolute for the activations. */
  readonly maxError: number;
}

/** `he.json` of a shipped model: what encrypted evaluation needs to know beside the graph. */
export interface HeMetadata {
  /** What the client encrypts: `[batch, tokens, features]`, or these in one row, `[batch, 1, tokens * features]`. */
  readonly inputShape: readonly [1, number, number];
  readonly outputShape: readonly [1, number] | readonly [1, number, number];
  /** Largest magnitude of an input entry on the training questions, and of a logit. */
  readonly maxInput?: number;
  readonly maxLogit?: number;
  readonly approximations: readonly ApproximationSummary[];
  /** Rows of the input. */
  readonly tokens: number;
  /** Levels on the longest way from input to output, as compiled with `parameters`; refreshes are not counted. */
  readonly depth?: number;
  /** Of a model that is no polynomial yet: the steps to it, in order. It runs in the clear only. */
  readonly needs?: readonly string[];
  /** What the model is compiled with unless the caller says otherwise. */
  readonly parameters: Pick<CompileOptions, 'securityBits' | 'precisionBits' | 'valueBits' | 'polyModulusDegrees' | 'roundTripMs'>;
  /** The same for a language model's step of one token. Default: `parameters`. */
  readonly stepParameters?: Pick<CompileOptions, 'securityBits' | 'precisionBits' | 'valueBits' | 'polyModulusDegrees'>;
}
