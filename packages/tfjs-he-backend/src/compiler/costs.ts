import { HeError } from '../errors.js';
import type { Instruction } from '../program/program.js';

/** Engines whose time is predicted. */
export type CostEngine = 'seal' | 'simd';

/** Operations of node-seal that are measured. Negation and level drops count as additions. */
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
  'encode',
  'refresh',
] as const;

export type CostName = (typeof COST_NAMES)[number];

/**
 * What the simd engine's time consists of, whatever operations ask for it: `decompose` a polynomial into digits, once for all rotations of a value; `switchKey`, the
 * inner products with one key, and the automorphism; `divide` a polynomial by a prime (the special one, or that of a rescaling); `multiplyAccumulate` limbs;
 * `instruction`, what any costs besides.
 */
export const SIMD_COST_NAMES = [
  'decompose',
  'switchKey',
  'divide',
  'multiplyAccumulate',
  'add',
  'instruction',
  'encode',
  'refresh',
] as const;

export type SimdCostName = (typeof SIMD_COST_NAMES)[number];

/** Milliseconds per unit ({@link costUnits}) of node-seal's operations: what a machine needs. `npm run calibrate` measures them. */
export type SealCosts = Readonly<Record<CostName, number>> & { readonly engine?: 'seal' };

/** The same of the simd engine, with as many threads as it was measured with. */
export type SimdCosts = Readonly<Record<SimdCostName, number>> & { readonly engine: 'simd' };

export type Costs = SealCosts | SimdCosts;

/** node-seal 7 on a 2-vCPU Xeon with Node 24, one core, warm (constants encoded). */
export const DEFAULT_COSTS: SealCosts = Object.freeze({
  rotate: 2.42e-6,
  relinearize: 2.42e-6,
  rescale: 3.58e-6,
  multiplyPlain: 2.14e-5,
  accumulatePlain: 2.42e-5,
  multiply: 4.28e-5,
  square: 4.28e-5,
  accumulateProduct: 4.7e-5,
  add: 2.8e-6,
  encode: 6e-5,
  refresh: 3e-4,
});

/**
 * The simd engine on the same machine, idle, one thread: within 5 % of what the evaluator took for he-models' power-banking77, power-ecg, power-mnist-vit and power-sst2 (0.19 to 4.4 s),
 * and of the rotations and products of `npm run bench -- engines`, in 2026-11; `refresh` and `encode` are the least of many on a machine that was not idle.
 */
export const DEFAULT_SIMD_COSTS: SimdCosts = Object.freeze({
  engine: 'simd',
  decompose: 3.4e-7,
  switchKey: 1e-6,
  divide: 6.2e-7,
  multiplyAccumulate: 8.6e-7,
  add: 1.4e-6,
  instruction: 0.04,
  encode: 7e-7,
  refresh: 1.6e-4,
});

/** Share of a cost that threads divide among them: 2 of them took 0.54 to 0.58 of the time of one for rotations, products and sums. The client refreshes with one thread. */
const PARALLEL: Readonly<Record<SimdCostName, number>> = Object.freeze({
  decompose: 0.9,
  switchKey: 0.9,
  divide: 0.9,
  multiplyAccumulate: 0.85,
  add: 0.8,
  instruction: 0,
  encode: 0.8,
  refresh: 0,
});

/**
 * Units of an operation at ring degree N and p primes (level + 1; of a refresh and a constant: those of the top level and its own): for seal a key switch is N log2 N (p^2 + 3 p + 2), a
 * rescaling N p log2 N; for simd decomposing is N log2 N p (p + 1), switching N (p + 1) (p + 2), a division, whose result has p primes, N log2 N (p + 1), an
 * instruction 1; a refresh is N (p + 3), to encode N log2 N p, everything else N p coefficients.
 */
export function costUnits(name: CostName | SimdCostName, n: number, primes: number): number {
  switch (name) {
    case 'rotate':
    case 'relinearize':
      return n * Math.log2(n) * (primes * primes + 3 * primes + 2);
    case 'decompose':
      return n * Math.log2(n) * primes * (primes + 1);
    case 'switchKey':
      return n * (primes + 1) * (primes + 2);
    case 'divide':
      return n * Math.log2(n) * (primes + 1);
    case 'rescale':
    case 'encode':
      return n * primes * Math.log2(n);
    case 'refresh':
      return n * (primes + 3);
    case 'instruction':
      return 1;
    default:
      return n * primes;
  }
}

/** What an instruction is to node-seal. */
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

/** The engine that costs are of. */
export function engineOf(costs: Costs): CostEngine {
  return costs.engine ?? 'seal';
}

export function costNamesOf(engine: CostEngine): readonly (CostName | SimdCostName)[] {
  return engine === 'simd' ? SIMD_COST_NAMES : COST_NAMES;
}

/**
 * Of a machine that nobody has measured.
 * @param threads of the simd engine, 1 or more, each with a core of its own; seal has one
 * @throws HeError PARAMETERS_INVALID.
 */
export function defaultCosts(engine: CostEngine, threads = 1): Costs {
  if (!Number.isInteger(threads) || threads < 1)
    throw new HeError('PARAMETERS_INVALID', `${threads} threads`, { op: 'compile', hint: 'Give an integer of 1 or more.' });
  if (engine === 'seal') return DEFAULT_COSTS;
  if (threads === 1) return DEFAULT_SIMD_COSTS;
  const shared = SIMD_COST_NAMES.map((name) => [name, DEFAULT_SIMD_COSTS[name] * (1 - PARALLEL[name] + PARALLEL[name] / threads)]);
  return checkCosts({ engine, ...Object.fromEntries(shared) });
}

/** Milliseconds per unit of one of the engine's operations; 0 for those of another engine. */
export function costOf(costs: Costs, name: CostName | SimdCostName): number {
  const byName: Partial<Record<CostName | SimdCostName, number>> = numbersOf(costs);
  return byName[name] ?? 0;
}

function numbersOf({ engine: _, ...numbers }: Costs): Partial<Record<CostName | SimdCostName, number>> {
  return numbers;
}

/**
 * Checks costs read from a file; those that earlier versions did not measure may be missing.
 * @throws HeError PARAMETERS_INVALID, which names the cost.
 */
export function checkCosts(costs: { readonly engine?: 'seal' } & Partial<Record<CostName, unknown>>): SealCosts;
export function checkCosts(costs: { readonly engine: 'simd' } & Partial<Record<SimdCostName, unknown>>): SimdCosts;
export function checkCosts(costs: UncheckedCosts): Costs;
export function checkCosts({ engine = 'seal', ...costs }: UncheckedCosts): Costs {
  if (engine !== 'seal' && engine !== 'simd') throw invalid(`costs of engine '${String(engine)}'`);
  const defaults = defaultCosts(engine);
  const checked: Partial<Record<CostName | SimdCostName, number>> = {};
  for (const name of costNamesOf(engine)) {
    const value = name === 'encode' ? (costs[name] ?? costOf(defaults, name)) : costs[name];
    if (typeof value !== 'number' || !(value > 0 && value < 1)) throw invalid(`cost '${name}' is not a number of milliseconds per unit`);
    checked[name] = value;
  }
  return Object.freeze({ ...defaults, ...checked });
}

type UncheckedCosts = { readonly engine?: unknown } & Partial<Record<CostName | SimdCostName, unknown>>;

function invalid(what: string): HeError {
  return new HeError('PARAMETERS_INVALID', what, { op: 'compile', hint: 'Give what `npm run calibrate` has written.' });
}
