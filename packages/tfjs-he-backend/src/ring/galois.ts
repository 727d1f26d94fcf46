/** The "step" that names complex conjugation of all slots, as in SEAL: a rotation by zero needs no key. */
export const CONJUGATION = 0;

/** Galois element of a rotation by `steps` slots to the left, 3^steps mod 2N, for steps in 1..N/2-1; of conjugation, 2N - 1. */
export function galoisElement(steps: number, polyModulusDegree: number): number {
  const order = 2 * polyModulusDegree;
  if (steps === CONJUGATION) return order - 1;
  let element = 1;
  for (let i = 0; i < steps; i++) element = (element * 3) % order;
  return element;
}
