import { compileGraphFor } from '../../src/compiler/compile.js';
import type { TensorNode } from '../../src/graph/node.js';
import { type CompileOptions, choosePrimes, createParameters, type Program } from '../../src/index.js';

/**
 * Parameters of a ring far too small to be secure, with primes and levels as secure ones have them: what does not depend on the ring degree is tested on
 * ciphertexts at a small part of the cost.
 * @param levels from the top to where ciphertexts are refreshed
 */
export function smallRing({ degree = 1024, levels = 3, scaleBits = 36, valueBits = 5 } = {}) {
  const refreshLevel = 1;
  const sizes = [50, ...new Array<number>(refreshLevel + levels).fill(scaleBits), 50];
  return createParameters({
    polyModulusDegree: degree,
    coeffModulus: choosePrimes(degree, sizes),
    securityBits: 0,
    refreshLevel,
    valueBits,
  });
}

/** The program of a graph for {@link smallRing}. */
export function compileSmall(graph: readonly TensorNode[], options: Pick<CompileOptions, 'state' | 'matmul'> = {}): Program {
  const parameters = smallRing();
  return compileGraphFor(graph, parameters, parameters.slots, options);
}
