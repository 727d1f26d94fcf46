import type { Register } from '../program/program.js';
import type { BicyclicGrid } from './bicyclic.js';
import { sumOfProducts } from './emit_matmul.js';
import type { Emitter } from './emitter.js';

/**
 * Ciphertext x ciphertext matmul in bicyclic packing (Chen et al., Homomorphic matrix multiplication based on bicyclic encoding, 2024). With extents n, m, p of which no two have a common
 * factor, slot i of a holds A[i mod n, i mod m], slot i of b holds B[i mod m, i mod p], and
 *
 *     sum_t rotate(a, n (t p mod m)) * rotate(b, p (t n mod m))
 *
 * has C[i mod n, i mod p] at slot i < n p: both factors have moved to t n p + i modulo m. One key for each operand's chain. Slots beyond hold partial sums, which a mask must
 * take away. Operands at level + 1.
 */
export function emitBicyclic(
  emitter: Emitter,
  { rows, inner, cols }: BicyclicGrid,
  operands: { readonly a: Register; readonly b: Register },
  level: number,
): Register {
  const [a, b] = [emitter.adjust(operands.a, level + 1), emitter.adjust(operands.b, level + 1)];
  const products = Array.from({ length: inner }, (_, t) => ({
    x: emitter.rotateByUnits(a, rows, (t * cols) % inner),
    y: emitter.rotateByUnits(b, cols, (t * rows) % inner),
  }));
  const total = sumOfProducts(emitter, products);
  emitter.rescale(total);
  return total;
}
