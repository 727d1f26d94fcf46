/**
 * How the server tells tokens from padding without being told: by a linear function of what the client encrypts. A token's row is
 * `x = gamma * n + beta` with `sum(n) = 0` (LayerNorm), so `sum(x / gamma)` is the same for all tokens, `sum(beta / gamma)`, and 0 for the zero rows
 * of padding.
 */
export interface VisibleTokens {
  /** `[features]`: `x . kernel` is 1 for tokens and 0 for padding. Its norm is at most 1, so that it does not amplify noise. */
  readonly kernel: Float32Array;
  /** `[features]`: what the client's `beta` is moved by where that sum is too small to divide by; undefined: it need not be. Its norm is at most 1. */
  readonly shift: Float32Array | undefined;
}

/** @param norm scale and shift of the client's LayerNorm, `[features]` each, not empty */
export function visibleTokens({ gamma, beta }: { readonly gamma: Float32Array; readonly beta: Float32Array }): VisibleTokens {
  const least = gamma.reduce((min, value) => Math.min(min, Math.abs(value)), Number.POSITIVE_INFINITY);
  // In shares of the largest, so that a gamma of zero, whose feature is beta in every row, is the limit.
  const direction = Float64Array.from(gamma, (value) => (value === 0 ? 1 : least / value));
  const norm = Math.hypot(...direction);
  const sum = direction.reduce((total, value, k) => total + value * (beta[k] ?? 0), 0);
  const missing = Math.max(0, norm - Math.abs(sum)) * (sum < 0 ? -1 : 1);
  return {
    kernel: Float32Array.from(direction, (value) => value / (sum + missing)),
    shift: missing === 0 ? undefined : Float32Array.from(direction, (value) => (missing * value) / norm ** 2),
  };
}

/** `[features, features]`: takes rows with the shift to rows without, and zero rows to zero rows. */
export function withoutShift(kernel: Float32Array, shift: Float32Array): Float32Array {
  const features = shift.length;
  return Float32Array.from({ length: features * features }, (_, index) => {
    const [from, to] = [Math.floor(index / features), index % features];
    return (from === to ? 1 : 0) - (kernel[from] ?? 0) * (shift[to] ?? 0);
  });
}
