import '../runtime_notice.js';

export { HeError, type HeErrorCode } from '../errors.js';
export { type BitsPair, type DebugOptions, type DebugReport, type DebugStep, debugProgram, type IntervalBreach } from './debug_program.js';
export type { Interval } from './intervals.js';
export { type PrecisionReport, precisionReport, precisionTable } from './precision.js';
export { debugTable } from './report.js';
