import type { Address, Kernels } from './kernels.js';
import { type PrimeTables, symmetric } from './tables.js';

/**
 * The polynomial digits[0] radices[0] + digits[1] radices[1] + ... modulo a prime, in NTT form: centred residues at `to`.
 *
 * @param digits limbs of integers x with |x| < 2^53 and |x / p| <= 2^33, at least one
 * @param radices of each digit; the first is 1
 * @param to a limb, like `scratch`, that is neither a digit nor the other
 */
export function transformedSum(
  kernels: Kernels,
  degree: number,
  { prime, forward }: PrimeTables,
  digits: readonly Address[],
  radices: readonly bigint[],
  to: Address,
  scratch: Address,
): void {
  for (const [i, digit] of digits.entries()) {
    kernels.toCanonical(i === 0 ? to : scratch, digit, degree, prime);
    if (i > 0) kernels.addScaled(to, to, scratch, degree, symmetric(Number((radices[i] ?? 0n) % BigInt(prime)), prime), prime);
  }
  kernels.forward(to, to, forward, 8 * degree, Math.log2(degree), prime);
}
