/** The client's half of the pretrained models: tokenizer, embedding and labels. Imports neither tfjs nor the server's weights. */
export * from './errors.js';
export { type ClientModel, clientFromPretrained } from './pretrained/client_model.js';
export type { Accuracies, ModelConfig } from './pretrained/config.js';
export { PRETRAINED_NAMES, type PretrainedName } from './pretrained/registry.js';
export type { TextTokenizer, TokenizedText, TokenizeOptions } from './text/text_tokenizer.js';
