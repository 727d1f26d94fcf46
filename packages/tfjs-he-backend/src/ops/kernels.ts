import { getKernel, type KernelFunc, type NamedAttrMap, registerKernel, Tensor } from '@tensorflow/tfjs-core';
import { HeError } from '../errors.js';
import { chebyshevSeries } from './chebyshev_series.js';
import { evaluateOnTensors } from './evaluate_on_tensors.js';
import type { Interval } from './interval.js';

/** Names under which tfjs knows the kernels of this package; input `x`, one output of its shape. */
export const HE_POLYNOMIAL = 'HePolynomial';
export const HE_RECIPROCAL = 'HeReciprocal';
export const HE_RSQRT = 'HeRsqrt';

const BASES = ['monomial', 'chebyshev'] as const;

/** A polynomial over an interval: sum_k c_k x^k, or sum_k c_k T_k(u) with u the interval's map to [-1, 1]. */
export interface PolynomialTerms {
  readonly coefficients: readonly number[];
  readonly basis: (typeof BASES)[number];
  readonly interval: Interval;
}

/** What a kernel computes, from its attributes. @throws HeError PARAMETERS_INVALID. */
export type TermsOf = (attrs: NamedAttrMap) => PolynomialTerms;

const approximation =
  (op: string, f: (x: number) => number): TermsOf =>
  (attrs) => {
    const interval = intervalOf(op, attrs.interval);
    const { bits } = attrs;
    if (!(interval[0] > 0)) throw invalid(op, `the interval [${interval.join(', ')}] is not positive`, 'Give 0 < low < high.');
    if (typeof bits !== 'number' || !(bits >= 1 && bits <= 40)) throw invalid(op, `${String(bits)} bits are asked for`, 'Give 1 to 40.');
    return { coefficients: cachedSeries(op, f, interval, bits), basis: 'chebyshev', interval };
  };

/**
 * The kernels, by name. Attributes: HePolynomial { coefficients, basis, interval }, the others { interval, bits }: a polynomial
 * of the fewest levels whose absolute error over the interval is at most 2^-bits.
 */
export const POLYNOMIAL_KERNELS: Readonly<Record<string, TermsOf>> = {
  [HE_POLYNOMIAL]: ({ coefficients, basis, interval }) => {
    if (!Array.isArray(coefficients)) throw invalid('polynomial', 'there are no coefficients', 'Give a list of numbers.');
    const numbers = coefficients.filter((c): c is number => typeof c === 'number' && Number.isFinite(c));
    if (numbers.length < coefficients.length) throw invalid('polynomial', 'a coefficient is not finite', 'Give finite coefficients.');
    const known = BASES.find((name) => name === basis);
    if (known === undefined) throw invalid('polynomial', `there is no basis '${String(basis)}'`, `Give one of ${BASES.join(', ')}.`);
    return { coefficients: numbers, basis: known, interval: intervalOf('polynomial', interval) };
  },
  [HE_RECIPROCAL]: approximation('reciprocal', (t) => 1 / t),
  [HE_RSQRT]: approximation('rsqrt', (t) => 1 / Math.sqrt(t)),
};

/** Backends of tfjs that kernels can be registered for before they are loaded; the operations register them for any other. */
const BACKENDS = ['cpu', 'wasm', 'webgl', 'webgpu', 'tensorflow'];

/** Makes the kernels known to tfjs on its own backends, made of its operations. A second call does nothing. */
export function registerComposedKernels(): void {
  for (const backend of BACKENDS) for (const name of Object.keys(POLYNOMIAL_KERNELS)) ensureKernel(name, backend);
}

/** Registers a kernel made of tfjs operations where there is none. */
export function ensureKernel(kernelName: string, backendName: string): void {
  if (getKernel(kernelName, backendName)) return;
  registerKernel({ kernelName, backendName, kernelFunc: composed(kernelName) });
}

/** The kernel on plaintext: tfjs operations on whatever backend is active. */
export function composed(kernelName: string): (call: Pick<Parameters<KernelFunc>[0], 'inputs' | 'attrs'>) => Tensor {
  return ({ inputs: { x }, attrs }) => {
    if (!(x instanceof Tensor)) throw invalid(kernelName, 'the input is not a tensor', 'Call the kernel through tf.engine().runKernel.');
    return evaluateOnTensors(x, termsOf(kernelName, attrs));
  };
}

/** @throws HeError PARAMETERS_INVALID. */
export function termsOf(kernelName: string, attrs: NamedAttrMap | undefined): PolynomialTerms {
  const terms = POLYNOMIAL_KERNELS[kernelName]?.(attrs ?? {});
  if (terms === undefined) throw invalid(kernelName, 'there is no such kernel', `Use ${Object.keys(POLYNOMIAL_KERNELS).join(', ')}.`);
  return terms;
}

const MAX_CACHED = 64;
const series = new Map<string, readonly number[]>();

/** Training evaluates the same few at every step. */
function cachedSeries(op: string, f: (x: number) => number, interval: Interval, bits: number): readonly number[] {
  const key = [op, ...interval, bits].join();
  let coefficients = series.get(key);
  if (coefficients === undefined) {
    coefficients = chebyshevSeries(op, f, interval, bits);
    if (series.size >= MAX_CACHED) series.clear();
    series.set(key, coefficients);
  }
  return coefficients;
}

function intervalOf(op: string, value: unknown): Interval {
  const [low, high]: unknown[] = Array.isArray(value) ? value : [];
  if (typeof low === 'number' && typeof high === 'number' && Number.isFinite(low) && Number.isFinite(high) && low < high)
    return [low, high];
  throw invalid(op, `[${String(low)}, ${String(high)}] is not an interval`, 'Give finite low < high.');
}

function invalid(op: string, message: string, hint: string): HeError {
  return new HeError('PARAMETERS_INVALID', message, { op, hint });
}
