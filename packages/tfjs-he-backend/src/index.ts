/** The entry point `tfjs-he-backend/compiler`; the root adds eager tensors. */
import './runtime_notice.js';
import { registerHeBackend } from './backend/register.js';

export { BACKEND_NAME, HeBackend } from './backend/he_backend.js';
export { encryptedKernelNames, registerHeBackend } from './backend/register.js';
export { calibrationProgram } from './compiler/calibration.js';
export { type CompileControl, compile, compileGraph } from './compiler/compile.js';
export { keySwitchingKeyBytes } from './compiler/cost_model.js';
export {
  COST_NAMES,
  type CostEngine,
  type CostName,
  type Costs,
  checkCosts,
  costNamesOf,
  costOf,
  costUnits,
  DEFAULT_COSTS,
  DEFAULT_SIMD_COSTS,
  defaultCosts,
  type SealCosts,
  SIMD_COST_NAMES,
  type SimdCostName,
  type SimdCosts,
} from './compiler/costs.js';
export { fitCosts, type Measured } from './compiler/fit_costs.js';
export { type HoistOptions, hoistRotations } from './compiler/hoist_rotations.js';
export type { CompileOptions } from './compiler/options.js';
export { type InputShapes, type TensorFunction, traceFunction, traceModel } from './compiler/trace.js';
export { createEmptyEngine, type EmptyCiphertext, type EmptyOptions, type EmptyPlaintext } from './engines/empty.js';
export type { Engine } from './engines/engine.js';
export { createOpCounts, type OpCounts } from './engines/op_counts.js';
export { HeError, type HeErrorCode, type HeErrorContext } from './errors.js';
export { evaluateGraph } from './graph/evaluate.js';
export {
  type ApproximationOptions,
  type PolynomialOptions,
  polynomial,
  reciprocal,
  rsqrt,
} from './ops/polynomial.js';
export { createParameters, type Parameters, type ParametersLiteral } from './parameters/parameters.js';
export { choosePrimes } from './parameters/primes.js';
export { manifestOf } from './program/manifest_of.js';
export { type LayerProfile, type Profile, profile, profileTable } from './program/profile.js';
export type { Program } from './program/program.js';
export { parseProgram, serializeProgram } from './program/serialize.js';
export type { TensorLayout } from './wire/layout.js';
export type { Manifest } from './wire/manifest.js';

registerHeBackend();
