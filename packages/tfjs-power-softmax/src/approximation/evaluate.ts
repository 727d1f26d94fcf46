/**
 * The operations a polynomial is evaluated with. The evaluation is written once and runs on numbers, on tensors, and on a counter that
 * measures its own depth.
 */
export interface PolynomialAlgebra<T> {
  add(a: T, b: T): T;
  subtract(a: T, b: T): T;
  multiply(a: T, b: T): T;
  square(a: T): T;
  scale(a: T, factor: number): T;
  addConstant(a: T, constant: number): T;
}

/** A polynomial in part: a computed part, absent for constants, and a constant not yet added. */
interface PolynomialParts<T> {
  readonly variable: T | undefined;
  readonly constant: number;
}

/** Multiplicative depth that {@link evaluateChebyshev} needs, multiplications by constants included: the least possible in general. */
export function chebyshevDepth(degree: number): number {
  return Math.ceil(Math.log2(degree + 1));
}

/**
 * `sum_k coefficients[k] T_k(u)` with depth `ceil(log2(degree + 1))` and few products (Paterson-Stockmeyer with baby steps of size
 * `babySteps`, splitting further where the depth budget demands it: Bossuat et al., EUROCRYPT 2021, section 4).
 *
 * Doublings are additions of a value to itself, so that only products and scalings cost a level.
 *
 * @param coefficients at least two; degree = length - 1
 * @param babySteps a power of two: blocks of lower degree are sums of scaled `T_k` where depth allows
 */
export function evaluateChebyshev<T>(algebra: PolynomialAlgebra<T>, coefficients: readonly number[], u: T, babySteps: number): T {
  const powers = new Map<number, T>([[1, u]]);

  function chebyshev(k: number): T {
    const known = powers.get(k);
    if (known !== undefined) return known;
    const low = Math.floor(k / 2);
    const result =
      k % 2 === 0
        ? algebra.addConstant(double(algebra.square(chebyshev(low))), -1)
        : algebra.subtract(double(algebra.multiply(chebyshev(low), chebyshev(low + 1))), u);
    powers.set(k, result);
    return result;
  }

  function double(x: T): T {
    return algebra.add(x, x);
  }

  function block(c: readonly number[], budget: number): PolynomialParts<T> {
    const degree = trueDegree(c);
    if (degree === 0) return { variable: undefined, constant: c[0] ?? 0 };
    const direct = degree < babySteps && Math.ceil(Math.log2(degree)) + 1 <= budget;
    return direct || degree === 1 ? sumOfScaled(c, degree) : split(c, degree, budget);
  }

  function sumOfScaled(c: readonly number[], degree: number): PolynomialParts<T> {
    let variable: T | undefined;
    for (let k = 1; k <= degree; k++) {
      const factor = c[k] ?? 0;
      if (factor === 0) continue;
      const term = algebra.scale(chebyshev(k), factor);
      variable = variable === undefined ? term : algebra.add(variable, term);
    }
    return { variable, constant: c[0] ?? 0 };
  }

  /** `c = quotient * T_g + remainder` for the largest power of two `g <= degree`, from `T_k = 2 T_(k-g) T_g - T_|k-2g|`. */
  function split(c: readonly number[], degree: number, budget: number): PolynomialParts<T> {
    const g = 2 ** Math.floor(Math.log2(degree));
    const quotient = Array.from({ length: degree - g + 1 }, (_, k) => (k === 0 ? 1 : 2) * (c[k + g] ?? 0));
    const remainder = c.slice(0, g);
    for (let k = g + 1; k <= degree; k++) {
      const mirrored = Math.abs(k - 2 * g);
      remainder[mirrored] = (remainder[mirrored] ?? 0) - (c[k] ?? 0);
    }
    const high = block(quotient, budget - 1);
    const low = block(remainder, budget);
    const product =
      high.variable === undefined
        ? algebra.scale(chebyshev(g), high.constant)
        : algebra.multiply(high.constant === 0 ? high.variable : algebra.addConstant(high.variable, high.constant), chebyshev(g));
    return { variable: low.variable === undefined ? product : algebra.add(product, low.variable), constant: low.constant };
  }

  const { variable, constant } = block(coefficients, chebyshevDepth(trueDegree(coefficients)));
  // A constant polynomial is still a function of u.
  return algebra.addConstant(variable ?? algebra.scale(u, 0), constant);
}

function trueDegree(coefficients: readonly number[]): number {
  let degree = coefficients.length - 1;
  while (degree > 0 && (coefficients[degree] ?? 0) === 0) degree--;
  return degree;
}
