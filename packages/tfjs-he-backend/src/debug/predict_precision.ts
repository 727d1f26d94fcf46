import type { Program } from '../program/program.js';
import { throwIfAborted } from '../turns.js';
import { debugInputs } from './debug_inputs.js';
import type { DebugOptions } from './debug_program.js';
import { declaredIntervals, type Interval } from './intervals.js';
import { createExactLane, createMockLane } from './lanes.js';
import type { PrecisionReport } from './precision.js';
import { type IntervalBreach, runLanes } from './run_lanes.js';

/** What precision a program will have on inputs like these. */
export interface PredictedPrecision {
  /** In the order in which layers end. */
  readonly layers: readonly LayerPrecision[];
  /** The first result that leaves its interval, the bound on refreshed values, or the modulus; null: none. */
  readonly outside: IntervalBreach | null;
  /** By output name; empty when values left the modulus or the bound on refreshed values. */
  readonly outputs: Readonly<Record<string, PrecisionReport>>;
}

export interface LayerPrecision {
  readonly name: string;
  /** -log2 of the largest absolute error of its last result. */
  readonly bits: number;
  /** Least and largest value of all its results. */
  readonly range: Interval;
}

/**
 * Predicts precision, layer by layer, before anything is encrypted: the program on the mock engine, whose noise has the distribution of SEAL's, against exact arithmetic. No keys
 * are made, and SEAL is not loaded. Noise depends on values, so the inputs should be like those to come.
 * @param inputs values of the manifest's inputs, row-major, in order
 * @throws HeError ENCODE_INVALID (shape or values of an input), PARAMETERS_INVALID (also for programs with state), ABORTED.
 */
export async function predictPrecision(
  program: Program,
  inputs: readonly ArrayLike<number>[],
  options: DebugOptions = {},
): Promise<PredictedPrecision> {
  const { parsed, packed } = debugInputs('predictPrecision', program, inputs);
  const { parameters } = parsed;
  const intervals = declaredIntervals(program, parameters, options.intervals ?? {});
  throwIfAborted(options.signal, 'predictPrecision');
  const exact = createExactLane(program, parameters);
  const mock = createMockLane(program, parsed, options.seed ?? 1);
  try {
    const { steps, outside, outputs } = await runLanes(program, parameters.slots, exact, { mock }, intervals, packed, options);
    const layers = new Map<string, LayerPrecision>();
    for (const { layer: name, op, bits, range } of steps) {
      if (op === 'refresh') continue;
      const [low, high] = layers.get(name)?.range ?? range;
      // Set anew: a Map keeps the order in which keys came first.
      layers.delete(name);
      layers.set(name, { name, bits: bits.mock, range: [Math.min(low, range[0]), Math.max(high, range[1])] });
    }
    return {
      layers: [...layers.values()],
      outside,
      outputs: Object.fromEntries(Object.entries(outputs).map(([name, { mock: report }]) => [name, report])),
    };
  } finally {
    exact.close();
    mock.close();
  }
}
