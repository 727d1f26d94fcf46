/** The server's half of the pretrained models. Nothing reachable from here makes keys or decrypts. */
export * from './errors.js';
export { type Environment, env } from './hub/env.js';
export type { LoadOptions } from './hub/model_files.js';
export type { ProgressCallback, ProgressInfo } from './hub/progress.js';
export type { ApproximationSummary, HeMetadata, PretrainedConfig, Task } from './pretrained/config.js';
export { PRETRAINED_NAMES, type PretrainedName } from './pretrained/registry.js';
export { type ServerModel, serverFromPretrained } from './pretrained/server_model.js';
export { type ClearModel, loadClearModel } from './use/clear_model.js';
export type { Evaluator, EvaluatorOptions } from './use/evaluator.js';
export { HeModelServer, type ServerLoadOptions } from './use/he_model_server.js';
export { programFromPretrained, type ServedProgramOptions } from './use/served_program.js';
