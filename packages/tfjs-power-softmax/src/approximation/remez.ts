import { ApproximationError } from '../errors.js';
import { clenshaw, fromUnit, type Interval } from './chebyshev.js';
import type { ErrorMeasure } from './functions.js';
import { solveLinearSystem } from './solve.js';

export interface MinimaxPolynomial {
  /** Chebyshev coefficients on the unit variable of the interval. */
  readonly coefficients: readonly number[];
  /** Largest error found on the interval, in the measure asked for. */
  readonly maxError: number;
  /** Error at every point of the last reference; for a converged exchange it bounds the best possible error from below. */
  readonly levelledError: number;
  /** The `degree + 2` points, ascending, at which the error alternates between `+levelledError` and `-levelledError`. */
  readonly reference: readonly number[];
}

interface Extremum {
  readonly u: number;
  readonly error: number;
}

const MAX_ITERATIONS = 50;
const GRID_POINTS_PER_EXTREMUM = 24;
/** The exchange stops when the largest error exceeds the levelled one by less than this share, which fixes the coefficients as closely. */
const TOLERANCE = 1e-11;
/** Where rounding keeps it from getting there (large ratios of the interval's ends), a share that still counts as converged. */
const ACCEPTABLE = 1e-6;
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
/** The error is flat at its extrema, so their places need half the digits only: 0.618^36 is 3e-8 of a step of the grid. */
const REFINEMENTS = 36;
/** Float64 rounding of the errors, below which alternation is noise. */
const ROUNDING = 1e-13;

/**
 * Best polynomial approximation of `f` on `interval` in the maximum norm, by Remez' second algorithm in the Chebyshev basis (Trefethen,
 * Approximation Theory and Practice, chapter 10; with weight `1/|f|` for the relative error).
 *
 * @throws ApproximationError if the exchange does not converge, as for an `f` that is itself a polynomial of this degree
 */
export function minimaxPolynomial(f: (x: number) => number, interval: Interval, degree: number, measure: ErrorMeasure): MinimaxPolynomial {
  const value = (u: number): number => f(fromUnit(interval, u));
  // A point's error in units of the measure: weight * (f - q).
  const unit = (u: number): number => (measure === 'relative' ? Math.abs(value(u)) : 1);
  let reference = Array.from({ length: degree + 2 }, (_, i) => -Math.cos((Math.PI * i) / (degree + 1)));
  let best: MinimaxPolynomial | undefined;
  for (let iteration = 0; iteration < MAX_ITERATIONS; iteration++) {
    const solution = levelled(reference, value, unit, degree);
    const error = (u: number): number => (value(u) - clenshaw(solution.coefficients, u)) / unit(u);
    const extrema = alternatingExtrema(error, degree);
    const maxError = Math.max(...extrema.map((extremum) => Math.abs(extremum.error)));
    const levelledError = Math.abs(solution.error);
    const found = { coefficients: solution.coefficients, maxError, levelledError, reference: reference.map((u) => fromUnit(interval, u)) };
    if (isConverged(found, TOLERANCE)) return found;
    // Once acceptable, the exchange converges quadratically: a step without progress has met rounding.
    if (best !== undefined && gapOf(found) > gapOf(best) / 2) return best;
    if (isConverged(found, ACCEPTABLE)) best = found;
    if (extrema.length < degree + 2) break;
    reference = chooseReference(extrema, degree + 2).map((extremum) => extremum.u);
  }
  if (best !== undefined) return best;
  throw new ApproximationError(
    `No minimax polynomial of degree ${degree} found on [${interval}]. Use another degree or method 'chebyshev'.`,
    {
      degree,
      interval: [...interval],
    },
  );
}

function gapOf({ maxError, levelledError }: MinimaxPolynomial): number {
  return maxError - levelledError;
}

function isConverged(polynomial: MinimaxPolynomial, tolerance: number): boolean {
  return gapOf(polynomial) <= polynomial.levelledError * tolerance + ROUNDING;
}

/** The polynomial whose error alternates with equal size over the reference. */
function levelled(reference: readonly number[], value: (u: number) => number, unit: (u: number) => number, degree: number) {
  const matrix = reference.map((u, i) => {
    const angle = Math.acos(Math.max(-1, Math.min(1, u)));
    return [...Array.from({ length: degree + 1 }, (_, k) => Math.cos(k * angle)), (i % 2 === 0 ? 1 : -1) * unit(u)];
  });
  const solution = solveLinearSystem(matrix, reference.map(value));
  return { coefficients: solution.slice(0, -1), error: solution[degree + 1] ?? 0 };
}

/** Local extrema of the error, end points included, one per run of equal sign, ascending. */
function alternatingExtrema(error: (u: number) => number, degree: number): Extremum[] {
  const count = GRID_POINTS_PER_EXTREMUM * (degree + 2);
  const grid = Array.from({ length: count + 1 }, (_, i) => -Math.cos((Math.PI * i) / count));
  const errors = grid.map(error);
  const extrema: Extremum[] = [];
  for (let i = 0; i <= count; i++) {
    const current = errors[i] ?? 0;
    const sign = Math.sign(current) || 1;
    const left = sign * (errors[i - 1] ?? Number.NEGATIVE_INFINITY * sign);
    const right = sign * (errors[i + 1] ?? Number.NEGATIVE_INFINITY * sign);
    if (sign * current < left || sign * current < right) continue;
    const extremum = i === 0 || i === count ? { u: grid[i] ?? 0, error: current } : refine(error, grid[i - 1] ?? -1, grid[i + 1] ?? 1);
    const last = extrema[extrema.length - 1];
    if (last === undefined || Math.sign(last.error) !== Math.sign(extremum.error)) extrema.push(extremum);
    else if (Math.abs(extremum.error) > Math.abs(last.error)) extrema[extrema.length - 1] = extremum;
  }
  return extrema;
}

/** Golden-section search for the largest absolute error between two points. */
function refine(error: (u: number) => number, from: number, to: number): Extremum {
  const at = (u: number): Extremum => ({ u, error: error(u) });
  let [low, high] = [from, to];
  let a = at(high - GOLDEN_RATIO * (high - low));
  let b = at(low + GOLDEN_RATIO * (high - low));
  for (let i = 0; i < REFINEMENTS; i++) {
    if (Math.abs(a.error) > Math.abs(b.error)) {
      [high, b] = [b.u, a];
      a = at(high - GOLDEN_RATIO * (high - low));
    } else {
      [low, a] = [a.u, b];
      b = at(low + GOLDEN_RATIO * (high - low));
    }
  }
  return Math.abs(a.error) > Math.abs(b.error) ? a : b;
}

/** Drops the smaller end until `count` extrema are left: alternation and the largest one survive. */
function chooseReference(extrema: readonly Extremum[], count: number): readonly Extremum[] {
  let chosen = extrema;
  while (chosen.length > count) {
    const first = Math.abs(chosen[0]?.error ?? 0);
    const last = Math.abs(chosen[chosen.length - 1]?.error ?? 0);
    chosen = first < last ? chosen.slice(1) : chosen.slice(0, -1);
  }
  return chosen;
}
