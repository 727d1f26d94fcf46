import type { PolynomialAlgebra } from './evaluate.js';

/** Elementwise arithmetic in float64 on vectors of one length: what an evaluation costs besides is paid once for all points. */
export const vectorAlgebra: PolynomialAlgebra<Float64Array> = {
  add: (a, b) => a.map((x, i) => x + (b[i] ?? 0)),
  subtract: (a, b) => a.map((x, i) => x - (b[i] ?? 0)),
  multiply: (a, b) => a.map((x, i) => x * (b[i] ?? 0)),
  square: (a) => a.map((x) => x * x),
  scale: (a, factor) => a.map((x) => x * factor),
  addConstant: (a, constant) => a.map((x) => x + constant),
};
