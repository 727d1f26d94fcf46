/**
 * PowerSoftmax attention for TensorFlow.js (arXiv 2410.09457): train a transformer whose attention is rational, keep its ranges narrow, and
 * turn it into a polynomial that a homomorphic-encryption backend can run.
 *
 * Importing this module registers its layers with `tf.serialization`, so saved models load without custom objects.
 */
import './ops/unsorted_segment_sum.js';

export { type ApproximateOptions, approximate } from './approximation/approximate.js';
export {
  type Approximation,
  type ApproximationMethod,
  approximationErrors,
  type Evaluable,
  evaluateApproximation,
  evaluateOver,
  type PolynomialMethod,
  variableMap,
} from './approximation/approximation.js';
export type { AffineMap, Interval } from './approximation/chebyshev.js';
export { evaluationCost, type PolynomialCost } from './approximation/cost.js';
export { evaluateChebyshev, type PolynomialAlgebra } from './approximation/evaluate.js';
export type { IterationMethod } from './approximation/iteration.js';
export { type MinimaxPolynomial, minimaxPolynomial } from './approximation/remez.js';
export { chebyshevPolynomial } from './approximation/tensor_algebra.js';
export * from './errors.js';
export type { AttentionArgs } from './layers/attention_config.js';
export { AttentionPooling, type AttentionPoolingArgs, type PoolingAttention } from './layers/attention_pooling.js';
export { ClassificationHead, type ClassificationHeadArgs, type PoolingKind } from './layers/classification_head.js';
export { DecoderBlock, type DecoderBlockArgs } from './layers/decoder_block.js';
export { EncoderBlock, type EncoderBlockArgs } from './layers/encoder_block.js';
export { type ActivationKind, FeedForward, type FeedForwardArgs } from './layers/feed_forward.js';
export { LanguageModelHead, type LanguageModelHeadArgs } from './layers/language_model_head.js';
export { LayerNorm, type LayerNormArgs } from './layers/layer_norm.js';
export { LearnedPositions, type LearnedPositionsArgs } from './layers/learned_positions.js';
export { MaskedMeanPooling, type MaskedMeanPoolingArgs } from './layers/masked_mean_pooling.js';
export { MultiHeadAttention, type MultiHeadAttentionArgs } from './layers/multi_head_attention.js';
export type { NormKind } from './layers/norms.js';
export type { MeanCount } from './layers/pooling.js';
export { PowerSoftmax, type PowerSoftmaxArgs, type RowCounts } from './layers/power_softmax.js';
export { RMSNorm, type RMSNormArgs } from './layers/rms_norm.js';
export type { AttentionKind } from './layers/score_weights.js';
export { TokenPooling, type TokenPoolingArgs, type TokenPosition } from './layers/token_pooling.js';
export { gelu } from './ops/gelu.js';
export { layerNorm } from './ops/layer_norm.js';
export { type PowerSoftmaxForm, type PowerSoftmaxOptions, powerSoftmax } from './ops/power_softmax.js';
export { quadratic } from './ops/quadratic.js';
export { rmsNorm } from './ops/rms_norm.js';
export { silu } from './ops/silu.js';
export { type CachedAttentionArgs, PolynomialCachedAttention } from './polynomial/cached_attention.js';
export { type ModelInputs, observeSites, type SiteObservation } from './polynomial/calibrate.js';
export { assertIntervals, checkIntervals, type IntervalCheck, watchIntervals } from './polynomial/check_intervals.js';
export { type DecoderStep, decoderStep, type StepState } from './polynomial/decoder_step.js';
export { type DivisionPlace, type DivisionShape, divisionCosts } from './polynomial/division.js';
export type { FitOptions, PerSite } from './polynomial/fit_site.js';
export { type DivisionReport, PolynomialAttention, type PolynomialAttentionArgs } from './polynomial/polynomial_attention.js';
export { PolynomialAttentionPooling, type PolynomialAttentionPoolingArgs } from './polynomial/polynomial_attention_pooling.js';
export { PolynomialFeedForward, type PolynomialFeedForwardArgs } from './polynomial/polynomial_feed_forward.js';
export { PolynomialNorm, type PolynomialNormArgs } from './polynomial/polynomial_norm.js';
export { PolynomialPowerSoftmax, type PolynomialPowerSoftmaxArgs } from './polynomial/polynomial_power_softmax.js';
export { PolynomialSigmaAttention, type PolynomialSigmaAttentionArgs } from './polynomial/polynomial_sigma_attention.js';
export { formatReport, type PolynomialReport, polynomialReport, type SiteReport } from './polynomial/report.js';
export { PolynomialScaledNorm } from './polynomial/scaled_norm.js';
export type { CalibrationRecord, SiteApproximation } from './polynomial/site_approximation.js';
export { type PolynomialModel, type ToPolynomialOptions, toPolynomial } from './polynomial/to_polynomial.js';
export { formatIntervals } from './ranges/format_intervals.js';
export { type RangeLossOptions, type RangeTarget, rangeLoss } from './ranges/range_loss.js';
export { type ApproximatedFunction, collectRanges, isRecordingRanges, type RangeSite, reportRange } from './ranges/recorder.js';
export type { SiteInterval } from './ranges/site_interval.js';
export { type ReplacedModel, type ReplaceSoftmaxReport, replaceSoftmax } from './replace_softmax/replace_softmax.js';
export type { ReplaceSoftmaxOptions, SoftmaxReplacement } from './replace_softmax/replacement.js';
export { RangeMonitor, type RangeMonitorArgs } from './training/range_monitor.js';
export { type TightenRangesOptions, tightenRanges } from './training/tighten_ranges.js';
export { type RangeLossOptimizer, type RangeLossSettings, type RangeSchedule, withRangeLoss } from './training/with_range_loss.js';
