import type { Parameters } from '../parameters/parameters.js';
import { bitLength, powMod } from '../parameters/primes.js';
import { createModulus, multiplyMod } from '../ring/modulus.js';
import { createNttTables, reverseBits } from '../ring/ntt.js';
import type { Heap } from './heap.js';
import type { Address } from './kernels.js';

/** One prime with its tables in the arithmetic memory. */
export interface PrimeTables {
  readonly prime: number;
  readonly bits: number;
  /** Twiddles of the transform and of its inverse: N centred values, then N quotients by the prime. */
  readonly forward: Address;
  readonly inverse: Address;
}

/** The representative of a residue in (-p/2, p/2). */
export function symmetric(residue: number, prime: number): number {
  return residue > prime / 2 ? residue - prime : residue;
}

function place(heap: Heap, twiddles: Float64Array, prime: number): Address {
  const degree = twiddles.length;
  const at = heap.allocate(16 * degree);
  const values = heap.doubles(at, degree);
  const quotients = heap.doubles(at + 8 * degree, degree);
  twiddles.forEach((twiddle, i) => {
    const value = symmetric(twiddle, prime);
    values[i] = value;
    quotients[i] = value / prime;
  });
  return at;
}

export function createPrimeTables(heap: Heap, degree: number, prime: bigint): PrimeTables {
  const tables = createNttTables(degree, prime);
  const p = Number(prime);
  const inverseTwiddles = tables.inverse.value.slice();
  // The last stage also divides by N: the kernel finds 1 / N in the unused first place, and the twiddle of that stage divided.
  const divided = multiplyMod(inverseTwiddles[1] ?? 0, tables.inverseDegree.value, createModulus(prime));
  inverseTwiddles[0] = tables.inverseDegree.value;
  inverseTwiddles[1] = divided;
  return {
    prime: p,
    bits: bitLength(prime),
    forward: place(heap, tables.forward.value, p),
    inverse: place(heap, inverseTwiddles, p),
  };
}

/**
 * X -> X^g on a transformed polynomial: value i of the result is value table[i] of the operand. Value i stands at the exponent 2 rev(i) + 1, and the
 * result's value there is the operand's at g times that exponent.
 */
export function galoisPermutation(degree: number, g: number): Uint32Array {
  const bits = Math.log2(degree);
  const table = new Uint32Array(degree);
  for (let i = 0; i < degree; i++) {
    const exponent = (g * (2 * reverseBits(i, bits) + 1)) % (2 * degree);
    table[i] = reverseBits((exponent - 1) / 2, bits);
  }
  return table;
}

/**
 * Where encoding puts the slots of a vector of n = 2^logN values: value k stands at exponent 3^k modulo 4n, or at its negative (the conjugate point, where a
 * real vector has the same value), whichever is 4t + 1; the place is t, bit-reversed.
 */
export function slotPlaces(logN: number): Uint32Array {
  const n = 2 ** logN;
  const places = new Uint32Array(n);
  for (let k = 0, exponent = 1; k < n; k++, exponent = (exponent * 3) % (4 * n)) {
    const t = ((exponent % 4 === 1 ? exponent : 4 * n - exponent) - 1) / 4;
    places[k] = reverseBits(t, logN);
  }
  return places;
}

/** exp(-2 pi i j / 2^log) for j < count, as pairs (re, im). */
export function placeRoots(heap: Heap, log: number, count: number): Address {
  const at = heap.allocate(16 * count);
  const roots = heap.doubles(at, 2 * count);
  for (let j = 0; j < count; j++) {
    const angle = (-2 * Math.PI * j) / 2 ** log;
    roots[2 * j] = Math.cos(angle);
    roots[2 * j + 1] = Math.sin(angle);
  }
  return at;
}

/** 1 / q modulo p, centred: the constant of a division by q. */
export function inverseOf(q: bigint, p: bigint): number {
  return symmetric(Number(powMod(q % p, p - 2n, p)), Number(p));
}

export function tableAt(tables: readonly PrimeTables[], index: number): PrimeTables {
  const table = tables[index];
  if (table === undefined) throw new RangeError(`no prime ${index}`);
  return table;
}

/** Of limb i of a polynomial with `limbs` data primes; the one beyond is that of the special prime. */
export function tableOfLimb(tables: readonly PrimeTables[], i: number, limbs: number): PrimeTables {
  return tableAt(tables, i < limbs ? i : tables.length - 1);
}

/** Tables of all primes, data primes first. */
export function createTables(heap: Heap, parameters: Parameters): readonly PrimeTables[] {
  return parameters.coeffModulus.map((prime) => createPrimeTables(heap, parameters.polyModulusDegree, prime));
}
