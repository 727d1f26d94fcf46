import '../runtime_notice.js';

export { HeError, type HeErrorCode } from '../errors.js';
export type { IntervalCheck } from '../graph/declared_intervals.js';
export { checkIntervals } from './check_intervals.js';
export { type DebugOptions, debugProgram } from './debug_program.js';
export type { Interval } from './intervals.js';
export { type PrecisionReport, precisionReport, precisionTable } from './precision.js';
export { type LayerPrecision, type PredictedPrecision, predictPrecision } from './predict_precision.js';
export { debugTable } from './report.js';
export type { BitsBy, DebugReport, DebugStep, IntervalBreach } from './run_lanes.js';
