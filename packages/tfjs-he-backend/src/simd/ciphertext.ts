import type { SimdPlaintext } from './encoder.js';
import type { Polynomial } from './limbs.js';

/** A product that is still to be added to a ciphertext. */
export type Term =
  | { readonly kind: 'plain'; readonly a: readonly Polynomial[]; readonly plaintext: SimdPlaintext }
  | { readonly kind: 'cipher'; readonly a: readonly Polynomial[]; readonly b: readonly Polynomial[] };

/**
 * `polynomials` + the sum of `terms`. Products are gathered and computed together when the value is needed: one pass over the result and one reduction for
 * many of them.
 */
export interface SimdCiphertext {
  /** null: nothing but terms. */
  polynomials: readonly Polynomial[] | null;
  terms: Term[];
  limbs: number;
  size: number;
}
