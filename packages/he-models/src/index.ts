/** Pretrained transformers whose server part is a polynomial, ready to run on encrypted data. */
import type { LoadOptions } from './hub/model_files.js';
import { type ClientModel, clientFromPretrained, type TextClassifierName } from './pretrained/client_model.js';
import type { GenerationConfig, ModelConfig, TextConfig } from './pretrained/config.js';
import { type ServerModel, serverFromPretrained } from './pretrained/server_model.js';

export * from './client.js';
export type { ApproximationSummary, HeMetadata } from './pretrained/config.js';
export * from './server.js';
export { type AgreementOptions, type AgreementReport, measureAgreement } from './use/agreement.js';
export { type GenerationAgreementOptions, type GenerationReport, measureGeneration } from './use/generation_agreement.js';
export { type Inference, type InferOptions, type LocalPair, openLocalPair, type PairOptions } from './use/local_pair.js';
export {
  type ClassificationPipeline,
  type ClassifyOptions,
  type Fhe,
  type GenerateOptions,
  type GenerationPipeline,
  type PipelineOptions,
  pipeline,
  type TaskInputs,
} from './use/pipeline.js';

/** Both halves of a pretrained text model. */
export interface PretrainedModel<Config extends TextConfig | GenerationConfig = ModelConfig> extends ClientModel<Config>, ServerModel {}

/**
 * Loads both halves of a text model, to run in the clear; one of this package without a network. The digests of all files are checked. A tfjs backend
 * must be set up first, e.g. by importing `@tensorflow/tfjs-backend-cpu`.
 *
 * @param name e.g. `power-banking77`; a folder (Node), a URL or `owner/name` of a model in this package's format. One that was converted and not yet
 *   turned into a polynomial is loaded as it is: `he.needs` says what it lacks to run encrypted
 * @throws UnknownModelError, UnknownTaskError for a model of arrays, ModelUnavailableError, AssetError
 */
export function fromPretrained(name: TextClassifierName, options?: LoadOptions): Promise<PretrainedModel>;
export function fromPretrained(name: string | URL, options?: LoadOptions): Promise<PretrainedModel<TextConfig | GenerationConfig>>;
export async function fromPretrained(name: string | URL, options?: LoadOptions): Promise<PretrainedModel<TextConfig | GenerationConfig>> {
  const client = await clientFromPretrained(name, options);
  return { ...client, ...(await serverFromPretrained(name, client.config.files, options)) };
}
