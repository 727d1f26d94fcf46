import type { Architecture, Recipe } from '../train/recipe.js';

/** Digest of a shipped file. */
export interface FileDigest {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
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

/** `config.json` of a shipped model. */
export interface ModelConfig {
  readonly name: string;
  readonly format: 1;
  readonly architecture: Architecture;
  readonly labels: readonly string[];
  readonly embedding: { readonly vocabularySize: number; readonly features: number; readonly maxTokens: number };
  readonly recipe: Recipe;
  /** Held-out questions behind the accuracies. */
  readonly devQuestions: number;
  readonly accuracy: Accuracies;
  /** How many of the values to be approximated were outside their interval on the development questions. */
  readonly outsideIntervals: number;
  readonly approximatedValues: number;
  /** Numbers of weights on either side. */
  readonly parameters: { readonly client: number; readonly server: number };
  readonly files: Readonly<Record<string, FileDigest>>;
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
  /** What the client encrypts: `[batch, tokens, features]`. */
  readonly inputShape: readonly [1, number, number];
  readonly outputShape: readonly [1, number];
  /** Largest magnitude of an input entry on the training questions, and of a logit. */
  readonly maxInput: number;
  readonly maxLogit: number;
  readonly approximations: readonly ApproximationSummary[];
}
