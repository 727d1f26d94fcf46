import { evaluateChebyshev, type PolynomialAlgebra } from './evaluate.js';

/** What evaluating a polynomial under encryption costs. */
export interface PolynomialCost {
  /** Levels consumed: products and multiplications by constants in sequence. */
  readonly depth: number;
  /** Products of two ciphertexts, squares included, each with a relinearisation. */
  readonly products: number;
}

/** Baby-step size with the fewest products at the least depth, and that cost, measured by running the evaluation on a counter. */
export function cheapestBabySteps(coefficients: readonly number[]): { readonly babySteps: number; readonly cost: PolynomialCost } {
  const sizes = [2, 4, 8, 16].filter((size) => size === 2 || size < coefficients.length);
  const options = sizes.map((babySteps) => ({ babySteps, cost: evaluationCost(coefficients, babySteps) }));
  return options.reduce((best, option) => (isCheaper(option.cost, best.cost) ? option : best));
}

/** Fewer levels first, then fewer products. */
export function isCheaper(a: PolynomialCost, b: PolynomialCost): boolean {
  return a.depth < b.depth || (a.depth === b.depth && a.products < b.products);
}

/** Depth and products of `evaluateChebyshev` with the given baby steps. */
export function evaluationCost(coefficients: readonly number[], babySteps: number): PolynomialCost {
  return costOf((counter, variable) => evaluateChebyshev(counter, coefficients, variable, babySteps));
}

/** Depth and products of an evaluation, measured by running it on numbers that stand for depths. The variable has depth 0. */
export function costOf(evaluate: (counter: PolynomialAlgebra<number>, variable: number) => number): PolynomialCost {
  let products = 0;
  const counter: PolynomialAlgebra<number> = {
    add: Math.max,
    subtract: Math.max,
    multiply: (a, b) => {
      products += 1;
      return Math.max(a, b) + 1;
    },
    square: (a) => {
      products += 1;
      return a + 1;
    },
    scale: (a) => a + 1,
    addConstant: (a) => a,
  };
  const depth = evaluate(counter, 0);
  return { depth, products };
}
