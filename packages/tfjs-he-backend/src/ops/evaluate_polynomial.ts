import type { Arithmetic, Basis } from './basis.js';

/** Levels that a polynomial of this degree takes: ceil(log2(degree + 1)). */
export function levelsOfDegree(degree: number): number {
  return Math.ceil(Math.log2(degree + 1));
}

/**
 * sum_k c_k b_k(u) in ceil(log2(degree + 1)) levels, products by coefficients included, with few products of values: a polynomial is
 * split at the largest power of two g <= degree into quotient * b_g + remainder, and parts of small degree are linear combinations of
 * baby steps where the levels allow it (Paterson and Stockmeyer 1973; Han and Ki 2020 for the Chebyshev basis and the depth). The number
 * of baby steps is the one with the fewest products.
 * @returns null when only c_0 differs from zero, since then there is no value to scale.
 */
export function evaluatePolynomial<V>(arithmetic: Arithmetic<V>, basis: Basis, coefficients: readonly number[], u: V): V | null {
  const trimmed = trim(coefficients);
  if (trimmed.length < 2) return null;
  let best = { babies: 2, products: Number.POSITIVE_INFINITY };
  for (let babies = 2; babies < 2 * trimmed.length; babies *= 2) {
    const products = countProducts(basis, trimmed, babies);
    if (products < best.products) best = { babies, products };
  }
  return evaluateWith(arithmetic, basis, trimmed, u, best.babies);
}

function trim(coefficients: readonly number[]): number[] {
  const last = coefficients.findLastIndex((c) => c !== 0);
  return coefficients.slice(0, last + 1);
}

function countProducts(basis: Basis, coefficients: readonly number[], babies: number): number {
  let products = 0;
  const count = (): null => {
    products++;
    return null;
  };
  const nothing = (): null => null;
  evaluateWith({ square: count, multiply: count, scale: nothing, add: nothing, sub: nothing }, basis, coefficients, null, babies);
  return products;
}

/** A value plus a constant that is not added to it yet; value null: the constant alone. */
interface Part<V> {
  readonly value: { readonly of: V } | null;
  readonly constant: number;
}

function evaluateWith<V>(arithmetic: Arithmetic<V>, basis: Basis, coefficients: readonly number[], u: V, babies: number): V {
  const known = new Map<number, V>([[1, u]]);
  const power = (k: number): V => {
    const before = known.get(k);
    if (before !== undefined) return before;
    const value = basis.step(arithmetic, k, power);
    known.set(k, value);
    return value;
  };
  const scaled = (value: V, factor: number, constant: number): V =>
    factor === 1 && constant === 0 ? value : arithmetic.scale(value, factor, constant);
  const part = (all: readonly number[], levels: number): Part<V> => {
    const own = trim(all);
    const degree = own.length - 1;
    const linear = degree < babies && own.every((c, k) => c === 0 || k <= 1 || Math.ceil(Math.log2(k)) + 1 <= levels);
    if (degree <= 1 || linear) {
      let sum: Part<V>['value'] = null;
      for (const [k, c] of own.entries()) {
        if (k === 0 || c === 0) continue;
        const term = scaled(power(k), c, 0);
        sum = { of: sum === null ? term : arithmetic.add(sum.of, term) };
      }
      return { value: sum, constant: own[0] ?? 0 };
    }
    const g = 2 ** Math.floor(Math.log2(degree));
    const { quotient, remainder } = basis.divide(own, g);
    const above = part(quotient, levels - 1);
    const below = part(remainder, levels);
    const high =
      above.value === null ? scaled(power(g), above.constant, 0) : arithmetic.multiply(scaled(above.value.of, 1, above.constant), power(g));
    return { value: { of: below.value === null ? high : arithmetic.add(high, below.value.of) }, constant: below.constant };
  };
  const { value, constant } = part(coefficients, levelsOfDegree(coefficients.length - 1));
  return value === null ? u : scaled(value.of, 1, constant);
}
