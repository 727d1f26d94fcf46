import type { Program } from '../program/program.js';
import { throwIfAborted } from '../turns.js';
import { debugInputs } from './debug_inputs.js';
import { declaredIntervals, type Interval } from './intervals.js';
import { createExactLane, createMockLane, createSealLane } from './lanes.js';
import { type DebugReport, runLanes } from './run_lanes.js';

export interface DebugOptions {
  /** Intervals that the results of layers must not leave, by name of the layer, e.g. those of a polynomial approximation. */
  readonly intervals?: Readonly<Record<string, Interval>>;
  /** Seed of the mock engine's noise (default 1). */
  readonly seed?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs a program on SEAL and on the mock engine side by side, and in exact arithmetic to compare both with. It makes its own keys and decrypts
 * every intermediate result, so it belongs on the machine that owns the data.
 * @param inputs values of the manifest's inputs, row-major, in order.
 * @throws HeError ENCODE_INVALID (shape or values of an input), PARAMETERS_* (also for programs with state), RUNTIME_UNSUPPORTED, MEMORY_BUDGET, ABORTED.
 */
export async function debugProgram(
  program: Program,
  inputs: readonly ArrayLike<number>[],
  options: DebugOptions = {},
): Promise<DebugReport> {
  const { seed = 1, signal } = options;
  const { parsed, packed } = debugInputs('debugProgram', program, inputs);
  const { parameters } = parsed;
  const intervals = declaredIntervals(program, parameters, options.intervals ?? {});
  throwIfAborted(signal, 'debugProgram');
  const exact = createExactLane(program, parameters);
  const lanes = { seal: await createSealLane(program, parsed), mock: createMockLane(program, parsed, seed) };
  try {
    return await runLanes(program, parameters.slots, exact, lanes, intervals, packed, options);
  } finally {
    for (const lane of [exact, ...Object.values(lanes)]) lane.close();
  }
}
