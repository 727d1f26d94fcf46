export { fft, reduceLarge, roundCoefficients } from './encode';
export { EXPAND_SCRATCH, expandUniform } from './expand';
export { forward, forwardSubtractScale, inverse } from './ntt';
export {
  add,
  addRuns,
  addScaled,
  innerProducts,
  liftFor,
  negate,
  permute,
  placeKey,
  scale,
  subtract,
  subtractScale,
  sumOfProducts,
  toCanonical,
  toSymmetric,
} from './pointwise';

/** 2^27 + 1 squared is 2^54 + 2^28 + 1: only a product that is not rounded before the subtraction leaves the 1. */
export function isFused(x: f64): bool {
  if (!FUSED) return false;
  const a = f64x2.splat(x);
  const h = f64x2.mul(a, a);
  return f64x2.extract_lane(f64x2.relaxed_nmadd(a, a, h), 0) == -1.0 && f64x2.extract_lane(f64x2.relaxed_madd(a, a, f64x2.neg(h)), 1) == 1.0;
}
