/** Pretrained transformers whose server part is a polynomial, ready to run on encrypted data. */
import { type ClientModel, clientFromPretrained } from './pretrained/client_model.js';
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

/** Both halves of a pretrained model. */
export interface PretrainedModel extends ClientModel, ServerModel {}

/**
 * Loads a pretrained model from the package itself: no network, in Node and through bundlers. The digests of all files are checked. A tfjs
 * backend must be set up first, e.g. by importing `@tensorflow/tfjs-backend-cpu`.
 *
 * @param name e.g. `power-banking77`
 * @throws UnknownModelError, AssetError
 */
export async function fromPretrained(name: string): Promise<PretrainedModel> {
  const client = await clientFromPretrained(name);
  return { ...client, ...(await serverFromPretrained(name, client.config.files)) };
}
