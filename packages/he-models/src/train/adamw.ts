/** First and second moments of one parameter. */
export interface Moments {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

export interface AdamWOptions {
  readonly learningRate: number;
  /** Decoupled decay per step, as a share of the learning rate; 0 for parameters that are not decayed. */
  readonly weightDecay: number;
  /** Number of this step, from 1. */
  readonly step: number;
}

const FIRST_DECAY = 0.9;
const SECOND_DECAY = 0.98;
const STABILISER = 1e-8;

export function zeroMoments(size: number): Moments {
  return { first: new Float32Array(size), second: new Float32Array(size) };
}

/**
 * One AdamW step (Loshchilov and Hutter, arXiv 1711.05101, Algorithm 2) in place on `values` and `moments`. On typed arrays instead of tensors:
 * tfjs has no AdamW, and a hundred thousand parameters take a millisecond, with the state at hand for checkpoints.
 */
export function adamWStep(values: Float32Array, gradient: Float32Array, moments: Moments, options: AdamWOptions): void {
  const { learningRate, weightDecay, step } = options;
  const { first, second } = moments;
  const rate = learningRate / (1 - FIRST_DECAY ** step);
  const secondCorrection = 1 / (1 - SECOND_DECAY ** step);
  const shrink = 1 - learningRate * weightDecay;
  for (let i = 0; i < values.length; i += 1) {
    const g = gradient[i] ?? 0;
    const m = FIRST_DECAY * (first[i] ?? 0) + (1 - FIRST_DECAY) * g;
    const v = SECOND_DECAY * (second[i] ?? 0) + (1 - SECOND_DECAY) * g * g;
    first[i] = m;
    second[i] = v;
    values[i] = (values[i] ?? 0) * shrink - (rate * m) / (Math.sqrt(v * secondCorrection) + STABILISER);
  }
}

/** Linear warm-up from 0 over `warmup * steps`, then half a cosine down to 0 at the last step. @param step from 1 */
export function cosineSchedule(step: number, steps: number, peak: number, warmup: number): number {
  const rising = Math.max(1, Math.round(steps * warmup));
  if (step <= rising) return (peak * step) / rising;
  const progress = (step - rising) / Math.max(1, steps - rising);
  return 0.5 * peak * (1 + Math.cos(Math.PI * progress));
}

/** Scales gradients in place so that their global Euclidean norm is at most `bound`. */
export function clipByGlobalNorm(gradients: readonly Float32Array[], bound: number): void {
  let squares = 0;
  // By index: iterating over a million entries takes four times as long.
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i += 1) squares += (gradient[i] ?? 0) ** 2;
  const norm = Math.sqrt(squares);
  if (norm <= bound) return;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i += 1) gradient[i] = ((gradient[i] ?? 0) * bound) / norm;
}
