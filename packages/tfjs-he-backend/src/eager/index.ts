export * from '../index.js';
export { attachClient, decrypt, encrypt } from './eager.js';
export type { EagerOptions } from './evaluate_nodes.js';
export type { EagerControl, EagerEngine, EagerProgress } from './local_session.js';
export { type FheMode, type Runner, type RunnerOptions, runner } from './runner.js';
