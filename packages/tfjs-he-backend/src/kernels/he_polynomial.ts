import { depthOf, depthOfScaled, MAX_FREE_FACTOR } from '../graph/depth.js';
import { identity, scaleRows } from '../graph/linear_map.js';
import { sizeOf, type TensorNode } from '../graph/node.js';
import type { Recorder } from '../graph/recorder.js';
import { type Arithmetic, chebyshevBasis, MONOMIAL } from '../ops/basis.js';
import { evaluatePolynomial } from '../ops/evaluate_polynomial.js';
import { type Interval, unitMap } from '../ops/interval.js';
import { composed, POLYNOMIAL_KERNELS, type PolynomialTerms, termsOf } from '../ops/kernels.js';
import { type EncryptedKernel, input, kernel } from './shared.js';

/** More than this is not given for a level. */
const MAX_LOST_BITS = 2;

const record: EncryptedKernel = (call) => {
  const { backend } = call;
  const x = input(call, 'x');
  const { recorder } = backend;
  const terms = termsOf(call.name, call.attrs);
  const operand = recorder.linear(x.shape, backend.nodeOf(x), identity(sizeOf(x.shape)));
  const { interval } = terms;
  const source: TensorNode = terms.basis === 'monomial' ? operand : { ...operand, declared: { op: call.name, interval } };
  const node = evaluate(recorder, source, terms);
  if (node !== null) return backend.wrap(node);
  const constant = new Float32Array(sizeOf(x.shape)).fill(terms.coefficients[0] ?? 0);
  return backend.plain.makeTensorInfo(x.shape, 'float32', constant);
};

/**
 * HePolynomial, HeReciprocal and HeRsqrt: recorded in ceil(log2(degree + 1)) levels. The map of a Chebyshev series' interval to [-1, 1] is folded into
 * the operation before it, or done by additions where that costs at most MAX_LOST_BITS; otherwise it takes a level.
 */
export const polynomialConfigs = Object.keys(POLYNOMIAL_KERNELS).map((name) => kernel(name, record, composed(name)));

function evaluate(recorder: Recorder, source: TensorNode, { coefficients, basis, interval }: PolynomialTerms): TensorNode | null {
  const arithmetic = nodes(recorder);
  if (basis === 'monomial') return evaluatePolynomial(arithmetic, MONOMIAL, coefficients, source);
  const degree = coefficients.findLastIndex((c) => c !== 0);
  const { factor, shift } = unitMap(interval);
  const sigma = depthOfScaled(source) > depthOf(source) ? nearby(interval, degree) : 1;
  const scaled = coefficients.map((c, k) => c / sigma ** k);
  return evaluatePolynomial(
    arithmetic,
    chebyshevBasis(sigma),
    scaled,
    arithmetic.scale(source, sigma === 1 ? factor : Math.round(sigma * factor), sigma * shift),
  );
}

/**
 * sigma such that sigma u is a whole number of times x, and a shift: 1 where that takes more bits than a level is worth. The largest power of sigma u
 * that is a factor is g, the largest power of two up to the degree: values of size sigma^g, times coefficients over sigma^g, so that
 * g |log2 sigma| bits are lost to noise.
 */
function nearby(interval: Interval, degree: number): number {
  const { factor } = unitMap(interval);
  const whole = Math.min(MAX_FREE_FACTOR, Math.max(1, Math.round(factor)));
  const sigma = whole / factor;
  const g = 2 ** Math.floor(Math.log2(Math.max(1, degree)));
  return g * Math.abs(Math.log2(sigma)) <= MAX_LOST_BITS ? sigma : 1;
}

function nodes(recorder: Recorder): Arithmetic<TensorNode> {
  const plain = ({ shape }: TensorNode) => identity(sizeOf(shape));
  const square = (a: TensorNode): TensorNode => recorder.product(a, a);
  const sum = (a: TensorNode, b: TensorNode, sign: 1 | -1): TensorNode =>
    recorder.affine(a.shape, [
      { map: plain(a), source: a },
      { map: sign === 1 ? plain(b) : scaledBy(b, -1), source: b },
    ]);
  return {
    square,
    multiply: (a, b) => recorder.product(a, b),
    scale: (a, factor, constant) => recorder.linear(a.shape, a, scaledBy(a, factor), new Float64Array(sizeOf(a.shape)).fill(constant)),
    add: (a, b) => sum(a, b, 1),
    sub: (a, b) => sum(a, b, -1),
  };
}

function scaledBy({ shape }: TensorNode, factor: number) {
  const size = sizeOf(shape);
  return scaleRows(identity(size), new Float64Array(size).fill(factor));
}
