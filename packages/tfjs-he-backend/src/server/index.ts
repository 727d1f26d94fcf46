import '../runtime_notice.js';

export type { Execution } from '../engines/runtime.js';
export { HeError, type HeErrorCode } from '../errors.js';
export type { CacheUse } from '../executor/constants.js';
export type { KeepOptions, LayerTime, Progress, ProgressEvent, Run, RunOptions, RunResult } from '../executor/types.js';
export { parseProgram } from '../program/serialize.js';
export { rerandomizedBits } from '../ring/rerandomize.js';
export { type Manifest, parseManifest } from '../wire/manifest.js';
export type { SealKeyObjects } from '../wire/seal_keys.js';
export { createServer } from './create_server.js';
export { defaultServerEngine } from './default_engine.js';
export type { MemoryUse, PrepareOptions, Sequence, Server, ServerEngine, ServerOptions, Session, SessionOptions } from './types.js';
