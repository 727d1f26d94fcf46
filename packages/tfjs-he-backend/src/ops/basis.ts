/** What polynomial evaluation needs of its values: tensors, or depths when it is only counted. */
export interface Arithmetic<V> {
  square(a: V): V;
  multiply(a: V, b: V): V;
  /** factor * a + constant. */
  scale(a: V, factor: number, constant: number): V;
  add(a: V, b: V): V;
  sub(a: V, b: V): V;
}

/** Polynomials b_0 = 1, b_1 = u, b_2 ... in which others are written. */
export interface Basis {
  /** b_k for k >= 2 from b_ceil(k/2) and b_floor(k/2): one product, depth ceil(log2 k). */
  step<V>(arithmetic: Arithmetic<V>, k: number, of: (index: number) => V): V;
  /** sum_k c_k b_k = quotient * b_g + remainder, for g <= degree < 2 g. */
  divide(coefficients: readonly number[], g: number): { readonly quotient: number[]; readonly remainder: number[] };
}

/** Powers: b_k = u^k. */
export const MONOMIAL: Basis = {
  step: (arithmetic, k, of) => (k % 2 === 0 ? arithmetic.square(of(k / 2)) : arithmetic.multiply(of((k + 1) / 2), of((k - 1) / 2))),
  divide: (coefficients, g) => ({ quotient: coefficients.slice(g), remainder: coefficients.slice(0, g) }),
};

/**
 * sigma^k T_k(u), from an input that is sigma u: T_2k = 2 T_k^2 - 1, T_(2k-1) = 2 T_k T_(k-1) - T_1, and T_(g+j) = 2 T_g T_j - T_(g-j), times powers of
 * sigma. With sigma other than 1 the input needs no factor of its own, but noise in values of size sigma^g counts sigma^-g times or sigma^g times.
 */
export function chebyshevBasis(sigma = 1): Basis {
  return {
    step: (arithmetic, k, of) =>
      k % 2 === 0
        ? arithmetic.scale(arithmetic.square(of(k / 2)), 2, -(sigma ** k))
        : arithmetic.sub(
            arithmetic.scale(arithmetic.multiply(of((k + 1) / 2), of((k - 1) / 2)), 2, 0),
            sigma === 1 ? of(1) : arithmetic.scale(of(1), sigma ** (k - 1), 0),
          ),
    divide: (coefficients, g) => {
      const quotient = coefficients.slice(g).map((c, j) => (j === 0 ? c : 2 * c));
      const remainder = coefficients.slice(0, g);
      for (let j = 1; g + j < coefficients.length; j++) {
        remainder[g - j] = (remainder[g - j] ?? 0) - sigma ** (2 * j) * (coefficients[g + j] ?? 0);
      }
      return { quotient, remainder };
    },
  };
}

/** Chebyshev polynomials of the first kind: b_k = T_k(u). */
export const CHEBYSHEV = chebyshevBasis();
