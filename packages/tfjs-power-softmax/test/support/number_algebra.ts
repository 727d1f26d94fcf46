import type { PolynomialAlgebra } from '../../src/index.js';

/** Arithmetic in float64. */
export const numberAlgebra: PolynomialAlgebra<number> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  square: (a) => a * a,
  scale: (a, factor) => a * factor,
  addConstant: (a, constant) => a + constant,
};
