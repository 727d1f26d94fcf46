import { HeError } from '../errors.js';
import type { Instruction } from '../program/program.js';

/** Operations that are measured. Negation and level drops count as additions. */
export const COST_NAMES = [
  'rotate',
  'relinearize',
  'rescale',
  'multiplyPlain',
  'accumulatePlain',
  'multiply',
  'square',
  'accumulateProduct',
  'add',
  'refresh',
] as const;

export type CostName = (typeof COST_NAMES)[number];

/**
 * Milliseconds per unit of every operation: what a machine and an engine need. `npm run calibrate` measures them. Units, at ring degree N
 * and level l, i.e. p = l + 1 primes: a key switch N log2 N (p^2 + 3 p + 2), a rescaling N p log2 N, everything else N p coefficients; a
 * refresh counts the primes of the top level.
 */
export type Costs = Readonly<Record<CostName, number>>;

/** node-seal 7 on a 2-vCPU Xeon with Node 24, one core, warm (constants encoded). */
export const DEFAULT_COSTS: Costs = Object.freeze({
  rotate: 2.42e-6,
  relinearize: 2.42e-6,
  rescale: 3.58e-6,
  multiplyPlain: 2.14e-5,
  accumulatePlain: 2.42e-5,
  multiply: 4.28e-5,
  square: 4.28e-5,
  accumulateProduct: 4.7e-5,
  add: 2.8e-6,
  refresh: 4e-4,
});

/** Units of an operation at `primes` primes. */
export function costUnits(name: CostName, n: number, primes: number): number {
  switch (name) {
    case 'rotate':
    case 'relinearize':
      return n * Math.log2(n) * (primes * primes + 3 * primes + 2);
    case 'rescale':
      return n * primes * Math.log2(n);
    default:
      return n * primes;
  }
}

export function costName({ op }: Instruction): CostName {
  switch (op) {
    case 'modSwitch':
    case 'sub':
    case 'negate':
    case 'accumulate':
    case 'addPlain':
      return 'add';
    default:
      return op;
  }
}

/**
 * Checks costs read from a file.
 * @throws HeError PARAMETERS_INVALID, which names the cost.
 */
export function checkCosts(costs: Partial<Record<CostName, unknown>>): Costs {
  const checked: Partial<Record<CostName, number>> = {};
  for (const name of COST_NAMES) {
    const value = costs[name];
    if (typeof value !== 'number' || !(value > 0 && value < 1)) {
      throw new HeError('PARAMETERS_INVALID', `cost '${name}' is not a number of milliseconds per unit`, {
        op: 'compile',
        hint: 'Give what `npm run calibrate` has written.',
      });
    }
    checked[name] = value;
  }
  return Object.freeze({ ...DEFAULT_COSTS, ...checked });
}
