import type { SimdPlaintext } from './encoder.js';
import type { Polynomial } from './limbs.js';

/** A product that is still to be added. Its factors are settled, or extended alone. */
export type Term =
  | { readonly kind: 'plain'; readonly a: Value; readonly plaintext: SimdPlaintext }
  | { readonly kind: 'cipher'; readonly a: Value; readonly b: Value };

/** How a value comes to be that is put off as a whole. */
export interface Pending {
  /** Gives the value its extended polynomials. */
  extend(): void;
  /** Gives it its polynomials, divided by the special prime. */
  settle(): void;
  /** The value is not needed. */
  drop(): void;
}

/**
 * What a ciphertext is: `polynomials` + round(`extended` / special prime) + the sum of `terms`. Work is put off until the value is needed, so that it is done for
 * many operations at once: a sum of products takes one pass and one reduction, and sums of rotations and of their products with plaintexts are divided by the special
 * prime once (double hoisting, Bossuat et al., Eurocrypt 2021).
 *
 * Values are shared by handles and terms, and changed only by settling and, where there is one holder, by adding terms.
 */
export interface Value {
  holders: number;
  /** Limbs of a polynomial, level + 1. */
  readonly limbs: number;
  readonly size: number;
  polynomials: readonly Polynomial[] | null;
  /** Two polynomials modulo the data primes of the level and, last, the special prime. */
  extended: readonly Polynomial[] | null;
  terms: Term[];
  /** Until it has polynomials of either kind. */
  pending: Pending | null;
}

/** A handle's object: its value changes when an operation in place does. */
export interface SimdCiphertext {
  value: Value;
}
