/** The client's half of the pretrained models. Imports neither tfjs nor the server's code or weights. */
export * from './errors.js';
export { type Environment, env } from './hub/env.js';
export type { LoadOptions } from './hub/model_files.js';
export type { ProgressCallback, ProgressInfo } from './hub/progress.js';
export { type ClientModel, clientFromPretrained, type TextClassifierName } from './pretrained/client_model.js';
export type { Accuracies, GenerationConfig, ModelConfig, PatchConfig, PretrainedConfig, Task, TextConfig } from './pretrained/config.js';
export { PRETRAINED_NAMES, type PretrainedName } from './pretrained/registry.js';
export type { TextEncoder } from './pretrained/text_encoder.js';
export type { TextTokenizer, TokenizedText, TokenizeOptions } from './text/text_tokenizer.js';
export type { EncodeOptions, ModelInput } from './use/encoder.js';
export { type ConnectOptions, type EncryptedFhe, HeModelClient } from './use/he_model_client.js';
export type { Classification } from './use/rank_labels.js';
