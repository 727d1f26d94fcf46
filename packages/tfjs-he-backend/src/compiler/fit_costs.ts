import type { Program } from '../program/program.js';
import {
  type CostEngine,
  type CostName,
  type Costs,
  checkCosts,
  costNamesOf,
  costOf,
  costUnits,
  defaultCosts,
  type SealCosts,
  type SimdCostName,
  type SimdCosts,
} from './costs.js';
import { programWork } from './work.js';

/** What runs of a calibration program, or of any other, report. */
export interface Measured {
  readonly program: Program;
  readonly repeat: number;
  readonly layers: readonly { readonly name: string; readonly ms: number }[];
  /** 0: not measured. */
  readonly refreshMs: number;
  /** Of the whole run but its refreshes: what the layers' times leave of it is the cost of instructions as such (none given: not measured). */
  readonly evaluateMs?: number;
  /** To encode all constants of the program (none given: not measured). */
  readonly encodeMs?: number;
}

type Name = CostName | SimdCostName;

/** Units of every cost, and the time that they took together. */
interface Sample {
  readonly units: ReadonlyMap<Name, number>;
  readonly ms: number;
}

/** Not in the times of layers. */
const MEASURED_APART: readonly Name[] = ['refresh', 'encode', 'instruction'];
const ITERATIONS = 40;
/** Deviations from the defaults, in shares of those of the times: what the times do not tell apart stays near the defaults. The first that gives plausible costs. */
const SHRINKAGES = [0.1, 0.3, 1, 3, 10];
/** How much further one cost may be from its default than another: machines differ by less, so beyond it one cost has been taken for another. */
const PLAUSIBLE = 4;
/** Relative deviations below this count alike. */
const EXACT = 1e-3;
/** Of the default, the least that a cost comes out as. */
const LEAST = 1e-3;

/**
 * The costs that explain the times of layers with the least sum of relative deviations: for seal, whose layers in a calibration program are of one operation each, their
 * medians. What was not measured keeps its default.
 */
export function fitCosts(measured: readonly Measured[], engine?: 'seal'): SealCosts;
export function fitCosts(measured: readonly Measured[], engine: 'simd'): SimdCosts;
export function fitCosts(measured: readonly Measured[], engine: CostEngine): Costs;
export function fitCosts(measured: readonly Measured[], engine: CostEngine = 'seal'): Costs {
  const defaults = defaultCosts(engine);
  const names = costNamesOf(engine).filter((name) => !MEASURED_APART.includes(name));
  const fitted = leastDeviations(
    measured.flatMap((one) => layerSamples(one, engine)),
    names,
    defaults,
  );
  const alone = (name: Name, values: readonly number[]): [Name, number] => [
    name,
    values.length === 0 ? costOf(defaults, name) : median(values),
  ];
  const rest = [
    alone('refresh', measured.flatMap(perRefresh)),
    alone('encode', measured.flatMap(perConstant)),
    alone('instruction', measured.flatMap(perInstruction)),
  ];
  return checkCosts({ engine, ...Object.fromEntries([...fitted, ...rest]) });
}

function perRefresh({ program: { parameters, segments }, refreshMs }: Measured): number[] {
  const count = segments.reduce((sum, { refreshes }) => sum + refreshes.length, 0);
  return count === 0 || refreshMs <= 0
    ? []
    : [refreshMs / (count * costUnits('refresh', parameters.polyModulusDegree, parameters.coeffModulus.length - 1))];
}

function perConstant({ program: { parameters, constants }, encodeMs }: Measured): number[] {
  const units = constants.reduce((sum, { level }) => sum + costUnits('encode', parameters.polyModulusDegree, level + 1), 0);
  return encodeMs === undefined || units === 0 ? [] : [encodeMs / units];
}

/** Between the layers' instructions. */
function perInstruction({ program: { segments }, layers, evaluateMs }: Measured): number[] {
  const count = segments.reduce((sum, { instructions }) => sum + instructions.length, 0);
  const between = (evaluateMs ?? 0) - layers.reduce((sum, { ms }) => sum + ms, 0);
  return between > 0 && count > 0 ? [between / count] : [];
}

function layerSamples({ program, layers }: Measured, engine: CostEngine): Sample[] {
  const work = programWork(program, engine);
  const units = program.layers.map(() => new Map<Name, number>());
  const n = program.parameters.polyModulusDegree;
  program.segments.forEach(({ instructions }, segment) => {
    instructions.forEach(({ layer }, position) => {
      const own = units[layer];
      for (const { name, primes, count } of work[segment]?.[position] ?? []) {
        if (MEASURED_APART.includes(name)) continue;
        own?.set(name, (own.get(name) ?? 0) + count * costUnits(name, n, primes));
      }
    });
  });
  return layers.flatMap(({ name, ms }) => {
    const own = units[program.layers.indexOf(name)];
    return own === undefined || own.size === 0 || !(ms > 0) ? [] : [{ units: own, ms }];
  });
}

/** The costs that explain the samples best, as far from the defaults as is plausible. */
function leastDeviations(samples: readonly Sample[], names: readonly Name[], defaults: Costs): [Name, number][] {
  // In multiples of the defaults, so that all unknowns are of one size.
  const rows = samples.map(({ units, ms }) => names.map((name) => ((units.get(name) ?? 0) * costOf(defaults, name)) / ms));
  let factors = names.map(() => 1);
  for (const shrinkage of SHRINKAGES) {
    factors = fitFactors(rows, names.length, shrinkage);
    const measured = factors.filter((_, i) => rows.some((row) => row[i] !== 0));
    if (Math.max(...measured) <= PLAUSIBLE * Math.min(...measured)) break;
  }
  return names.map((name, i) => [name, costOf(defaults, name) * (factors[i] ?? 1)]);
}

/** Least absolute deviations by least squares with the weights that the deviations before ask for. */
function fitFactors(rows: readonly (readonly number[])[], count: number, share: number): number[] {
  let weights = rows.map(() => 1);
  let factors = Array.from({ length: count }, () => 1);
  let shrinkage = share * rows.length;
  for (let i = 0; i < ITERATIONS; i++) {
    factors = weightedLeastSquares(rows, weights, shrinkage).map((factor) => Math.max(LEAST, factor));
    const deviations = rows.map((row) => Math.abs(dot(row, factors) - 1));
    weights = deviations.map((deviation) => 1 / Math.max(EXACT, deviation));
    shrinkage = share * deviations.reduce((sum, deviation) => sum + deviation, 0);
  }
  return factors;
}

/** Minimises sum_i weight_i (row_i x - 1)^2 + shrinkage |x - 1|^2; unknowns in no row are 1. */
function weightedLeastSquares(rows: readonly (readonly number[])[], weights: readonly number[], shrinkage: number): number[] {
  const size = rows[0]?.length ?? 0;
  const system = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_, j) =>
      rows.reduce((sum, row, k) => sum + (weights[k] ?? 0) * (row[i] ?? 0) * (j === size ? 1 : (row[j] ?? 0)), 0),
    ),
  );
  system.forEach((row, i) => {
    const pull = row[i] === 0 ? 1 : shrinkage;
    row[i] = (row[i] ?? 0) + pull;
    row[size] = (row[size] ?? 0) + pull;
  });
  return solve(system);
}

/** Gaussian elimination with pivots, of a square system with its right side as the last column. */
function solve(system: number[][]): number[] {
  const size = system.length;
  for (let i = 0; i < size; i++) {
    let pivot = i;
    for (let k = i + 1; k < size; k++) if (Math.abs(system[k]?.[i] ?? 0) > Math.abs(system[pivot]?.[i] ?? 0)) pivot = k;
    const [upper = [], lower = []] = [system[pivot], system[i]];
    system[i] = upper;
    if (pivot !== i) system[pivot] = lower;
    for (let k = 0; k < size; k++) {
      const row = system[k];
      if (k === i || row === undefined) continue;
      const factor = (row[i] ?? 0) / (upper[i] ?? 1);
      if (factor !== 0) for (let j = i; j <= size; j++) row[j] = (row[j] ?? 0) - factor * (upper[j] ?? 0);
    }
  }
  return system.map((row, i) => (row[size] ?? 0) / (row[i] ?? 1));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
