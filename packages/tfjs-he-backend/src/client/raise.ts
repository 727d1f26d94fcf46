import type { Parameters } from '../parameters/parameters.js';
import { createCentredLift } from '../ring/lift.js';
import { forwardNtt, inverseNtt } from '../ring/ntt.js';
import { createRing } from '../ring/ring.js';
import { Heap } from '../simd/heap.js';
import { type Address, hasSimd, loadKernels, type Variant } from '../simd/kernels.js';
import { createTables, inverseOf, tableAt } from '../simd/tables.js';
import { transformedSum } from '../simd/transformed_sum.js';

/**
 * Residues at the refresh level -> residues at the top level of the same integer polynomial, whose coefficients are in (-Q/2, Q/2) for the refresh level's modulus Q.
 * Residues are in [0, p), polynomials in NTT form; the operand is not changed.
 */
export type Raise = (low: readonly Float64Array[]) => Float64Array[];

/** On the kernels of engine simd, or in plain JavaScript where the runtime has no WebAssembly SIMD: the same residues. @throws HeError MEMORY_BUDGET */
export function createRaise(parameters: Parameters): Promise<Raise> {
  return hasSimd() ? createKernelRaise(parameters) : Promise.resolve(createPlainRaise(parameters));
}

/** In plain JavaScript. */
export function createPlainRaise(parameters: Parameters): Raise {
  const { refreshLevel, maxLevel } = parameters;
  const ring = createRing(parameters);
  const lift = createCentredLift(ring, refreshLevel, maxLevel);
  return (low) => {
    const coefficients = low.map((residues, i) => {
      const copy = residues.slice();
      inverseNtt(copy, ring.tables(i));
      return copy;
    });
    const high = lift(coefficients);
    high.forEach((residues, i) => {
      forwardNtt(residues, ring.tables(refreshLevel + 1 + i));
    });
    return [...low, ...high];
  };
}

/**
 * On kernels, of the variant that is the fastest here unless one is named. The lift is Garner's algorithm with digits v_i in (-q_i/2, q_i/2): every integer in
 * (-Q/2, Q/2) is v_0 + v_1 q_0 + v_2 q_0 q_1 + ... for one choice of them, so nothing is to be compared with Q/2.
 *
 * @throws HeError RUNTIME_UNSUPPORTED, MEMORY_BUDGET
 */
export async function createKernelRaise(parameters: Parameters, variant?: Variant): Promise<Raise> {
  const { refreshLevel, maxLevel, polyModulusDegree: degree, dataPrimes } = parameters;
  const heap = new Heap();
  const { kernels } = await loadKernels(heap.memory, variant);
  const logN = Math.log2(degree);
  const limb = (): Address => heap.allocate(8 * degree);
  const prepare = () => ({
    tables: createTables(heap, parameters),
    digits: dataPrimes.slice(0, refreshLevel + 1).map(limb),
    scratch: limb(),
    lifted: limb(),
  });
  let prepared: ReturnType<typeof prepare> | undefined;
  const radices = dataPrimes
    .slice(0, refreshLevel + 1)
    .map((_, i) => dataPrimes.slice(0, i).reduce((product, prime) => product * prime, 1n));
  /** v_0 + v_1 q_0 + ... modulo another prime, in NTT form. */
  const liftTo = ({ tables, digits, scratch, lifted }: ReturnType<typeof prepare>, target: number): Float64Array => {
    const table = tableAt(tables, target);
    transformedSum(kernels, degree, table, digits, radices, lifted, scratch);
    kernels.toCanonical(lifted, lifted, degree, table.prime);
    return heap.doubles(lifted, degree).slice();
  };
  return (low) => {
    // Not before a first refresh: many programs have none.
    prepared ??= prepare();
    const { tables, digits, scratch } = prepared;
    for (const [i, digit] of digits.entries()) {
      const { prime, inverse } = tableAt(tables, i);
      heap.doubles(digit, degree).set(low[i] ?? []);
      kernels.inverse(digit, digit, inverse, 8 * degree, logN, prime);
      for (const [j, earlier] of digits.slice(0, i).entries()) {
        kernels.toCanonical(scratch, earlier, degree, prime);
        kernels.subtractScale(digit, digit, scratch, degree, inverseOf(BigInt(tableAt(tables, j).prime), BigInt(prime)), prime);
      }
      kernels.toCanonical(digit, digit, degree, prime);
      kernels.toSymmetric(digit, digit, degree, prime);
    }
    const ready = prepared;
    return [...low, ...Array.from({ length: maxLevel - refreshLevel }, (_, i) => liftTo(ready, refreshLevel + 1 + i))];
  };
}
