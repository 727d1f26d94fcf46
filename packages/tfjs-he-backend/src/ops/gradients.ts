import { mul, registerGradient, square, type Tensor } from '@tensorflow/tfjs-core';
import { BUG_HINT, HeError } from '../errors.js';
import { unitMap } from './interval.js';
import { HE_POLYNOMIAL, HE_RECIPROCAL, HE_RSQRT, type PolynomialTerms, termsOf } from './kernels.js';
import { runPolynomial } from './run_polynomial.js';

/** d/dx of a polynomial in its own basis: k c_k, or c'_(k-1) = c'_(k+1) + 2 k c_k, halved for c'_0 (Mason and Handscomb 2003, section 2.4.5). */
function derivative({ coefficients, basis, interval }: PolynomialTerms): PolynomialTerms {
  if (basis === 'monomial') return { coefficients: coefficients.slice(1).map((c, k) => (k + 1) * c), basis, interval };
  const { factor } = unitMap(interval);
  const result = new Array<number>(Math.max(0, coefficients.length - 1)).fill(0);
  for (let k = result.length; k >= 1; k--) result[k - 1] = (result[k + 1] ?? 0) + 2 * k * factor * (coefficients[k] ?? 0);
  if (result[0] !== undefined) result[0] /= 2;
  return { coefficients: result, basis, interval };
}

/** Gradients of the kernels: the derivative of the polynomial; -y^2 and -y^3 / 2 from the results y = 1/x and y = 1/sqrt(x). */
export function registerPolynomialGradients(): void {
  registerGradient({
    kernelName: HE_POLYNOMIAL,
    inputsToSave: ['x'],
    gradFunc: (dy, [x], attrs) => ({ x: () => mul(single(dy), runPolynomial(single(x), derivative(termsOf(HE_POLYNOMIAL, attrs)))) }),
  });
  registerGradient({
    kernelName: HE_RECIPROCAL,
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => mul(mul(single(dy), -1), square(single(y))) }),
  });
  registerGradient({
    kernelName: HE_RSQRT,
    outputsToSave: [true],
    gradFunc: (dy, [y]) => ({ x: () => mul(mul(mul(single(dy), -0.5), single(y)), square(single(y))) }),
  });
}

function single(x: Tensor | Tensor[] | undefined): Tensor {
  const [first] = [x].flat();
  if (first !== undefined) return first;
  throw new HeError('GRAPH_INVALID', 'a gradient lacks its tensor', { hint: BUG_HINT });
}
