export { fft, reduceLarge, roundCoefficients } from './encode';
export { EXPAND_SCRATCH, expandUniform } from './expand';
export { forward, forwardSubtractScale } from './forward';
export { innerProducts, placeKey } from './inner_products';
export { inverse } from './inverse';
export { add, addRuns, addScaled, liftFor, negate, permute, scale, subtract, subtractScale, toCanonical, toSymmetric } from './pointwise';
export { sumOfProducts } from './sums';

/** 2^27 + 1 squared is 2^54 + 2^28 + 1: only a product that is not rounded before the subtraction leaves the 1. */
export function isFused(x: f64): bool {
  if (!FUSED) return false;
  const a = f64x2.splat(x);
  const h = f64x2.mul(a, a);
  return f64x2.extract_lane(f64x2.relaxed_nmadd(a, a, h), 0) == -1.0 && f64x2.extract_lane(f64x2.relaxed_madd(a, a, f64x2.neg(h)), 1) == 1.0;
}
