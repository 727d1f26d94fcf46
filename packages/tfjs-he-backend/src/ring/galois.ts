/** Galois element of a rotation by `steps` slots to the left, 3^steps mod 2N, for steps in 0..N/2-1. */
export function galoisElement(steps: number, polyModulusDegree: number): number {
  const order = 2 * polyModulusDegree;
  let element = 1;
  for (let i = 0; i < steps; i++) element = (element * 3) % order;
  return element;
}
