import { beforeAll, describe, expect, test } from '@jest/globals';
import { square, type Tensor } from '@tensorflow/tfjs-core';
import { calibrationProgram } from '../../src/compiler/calibration.js';
import { checkProgram } from '../../src/compiler/check.js';
import { refreshMs } from '../../src/compiler/cost_model.js';
import {
  type Costs,
  checkCosts,
  compileGraph,
  costNamesOf,
  costOf,
  DEFAULT_COSTS,
  DEFAULT_SIMD_COSTS,
  defaultCosts,
  fitCosts,
  HeError,
  type Program,
  profile,
  traceFunction,
} from '../../src/index.js';
import { traceAttention } from '../support/attention.js';
import { openPair } from '../support/session.js';

const SHAPE = { tokens: 4, heads: 2, headDim: 3, labels: 3 };
const REPEAT = 3;
let program: Program;
let calibration: Program;

beforeAll(async () => {
  program = compileGraph(await traceAttention(SHAPE), { polyModulusDegrees: [8192] });
  calibration = calibrationProgram(program.parameters, REPEAT);
});

describe('calibration', () => {
  test('its program passes the checker and runs', async () => {
    expect(() => checkProgram(calibration)).not.toThrow();
    const pair = await openPair(calibration, 'mock');
    try {
      expect((await pair.infer([0.5]))[0]).toBeCloseTo(0.5);
    } finally {
      pair.dispose();
    }
  });

  test('its program has no refreshes where masks have no room', async () => {
    const { parameters } = compileGraph(await traceFunction((x) => square(x as Tensor), [{ name: 'x', shape: [4] }]), {
      polyModulusDegrees: [8192],
    });
    expect(parameters.refreshLevel).toBe(0);
    const withoutRefreshes = calibrationProgram(parameters, REPEAT);
    expect(() => checkProgram(withoutRefreshes)).not.toThrow();
    expect(withoutRefreshes.segments.flatMap(({ refreshes }) => refreshes)).toEqual([]);
  });

  test.each(['seal', 'simd'] as const)('costs of %s come out of the times they predict', (engine) => {
    const defaults = defaultCosts(engine);
    const numbers = costNamesOf(engine).map((name, i) => [name, costOf(defaults, name) * (1 + 0.2 * i)]);
    const costs = checkCosts({ engine, ...Object.fromEntries(numbers) });
    const { layers, predictedEncodeMs } = profile(calibration, 0, { ...costs, ...(engine === 'simd' ? { instruction: 0 } : {}) } as Costs);
    const times = layers.map(({ name, predictedMs }) => ({ name, ms: predictedMs }));
    const instructions = layers.reduce((sum, layer) => sum + layer.instructions, 0);
    const evaluateMs = times.reduce((sum, { ms }) => sum + ms, 0) + instructions * costOf(costs, 'instruction');
    const { polyModulusDegree, coeffModulus } = calibration.parameters;
    const refreshes = calibration.segments.flatMap((segment) => segment.refreshes).length;
    const measured = {
      program: calibration,
      repeat: REPEAT,
      layers: times,
      refreshMs: refreshes * refreshMs(polyModulusDegree, coeffModulus.length - 1, costs),
      evaluateMs,
      encodeMs: predictedEncodeMs,
    };
    const fitted = fitCosts([measured], engine);
    for (const name of costNamesOf(engine)) expect(costOf(fitted, name) / costOf(costs, name)).toBeCloseTo(1, 6);
  });

  test('one layer that was disturbed does not change them', () => {
    const { layers } = profile(calibration, 0, 'seal');
    const times = layers.map(({ name, predictedMs }, i) => ({ name, ms: predictedMs * (i === 1 ? 10 : 1) }));
    const fitted = fitCosts([{ program: calibration, repeat: REPEAT, layers: times, refreshMs: 0 }]);
    expect(fitted.rotate / DEFAULT_COSTS.rotate).toBeCloseTo(1, 2);
  });

  test.each(['seal', 'simd'] as const)('predictions for %s are proportional to the costs', (engine) => {
    const costs = defaultCosts(engine);
    const doubled = checkCosts({ engine, ...Object.fromEntries(costNamesOf(engine).map((name) => [name, 2 * costOf(costs, name)])) });
    expect(profile(program, 0, doubled).predictedMs / profile(program, 0, engine).predictedMs).toBeCloseTo(2, 9);
  });

  test('parameters are chosen by the costs: where refreshes cost most, a longer chain has fewer', async () => {
    const graph = await traceAttention(SHAPE);
    const options = { polyModulusDegrees: [8192, 16384] };
    const refreshes = (refresh: number): number =>
      profile(compileGraph(graph, { ...options, costs: { ...DEFAULT_SIMD_COSTS, refresh } })).refreshes;
    expect(refreshes(0.5)).toBeLessThan(refreshes(1e-6));
  });

  test('costs that are no times are PARAMETERS_INVALID and named', () => {
    expect(() => checkCosts({ ...DEFAULT_COSTS, rescale: Number.NaN })).toThrow(
      expect.objectContaining({ code: 'PARAMETERS_INVALID', message: expect.stringContaining('rescale') }),
    );
  });

  test('default costs of threads are between those of one and their share', () => {
    const rotationMs = (costs: Costs): number =>
      profile(calibration, 0, costs)
        .layers.filter(({ name }) => name.startsWith('chain'))
        .reduce((sum, { predictedMs }) => sum + predictedMs, 0);
    for (const threads of [2, 4]) {
      const ratio = rotationMs(defaultCosts('simd', threads)) / rotationMs(DEFAULT_SIMD_COSTS);
      expect(ratio).toBeGreaterThan(1 / threads);
      expect(ratio).toBeLessThan(1 / threads + 0.15);
    }
    expect(defaultCosts('simd', 1)).toEqual(DEFAULT_SIMD_COSTS);
    expect(() => defaultCosts('simd', 0)).toThrow(HeError);
  });

  test('what times do not tell apart stays near the defaults', () => {
    const { layers } = profile(calibration, 0, DEFAULT_SIMD_COSTS);
    // Rotations of one value only: decomposing, switching and dividing always come together.
    const times = layers.flatMap(({ name, predictedMs }) =>
      name.startsWith('chain') ? [{ name, ms: 2 * predictedMs * (1 + 0.01 * Number(name.split(' ')[1])) }] : [],
    );
    const fitted = fitCosts([{ program: calibration, repeat: REPEAT, layers: times, refreshMs: 0 }], 'simd');
    for (const name of ['decompose', 'switchKey', 'divide'] as const) {
      expect(fitted[name] / DEFAULT_SIMD_COSTS[name]).toBeGreaterThan(1);
      expect(fitted[name] / DEFAULT_SIMD_COSTS[name]).toBeLessThan(4);
    }
  });

  test.each(['rotate', 'relinearize', 'accumulate'])(
    'no cost is taken for another where %s takes a third of what the others let expect',
    (operation) => {
      const { layers } = profile(calibration, 0, DEFAULT_SIMD_COSTS);
      const times = layers.map(({ name, predictedMs }) => ({ name, ms: predictedMs * (name.startsWith(`${operation} `) ? 0.3 : 1) }));
      const fitted = fitCosts([{ program: calibration, repeat: REPEAT, layers: times, refreshMs: 0 }], 'simd');
      for (const name of ['decompose', 'switchKey', 'divide', 'multiplyAccumulate', 'add'] as const) {
        expect(fitted[name] / DEFAULT_SIMD_COSTS[name]).toBeGreaterThan(0.5);
        expect(fitted[name] / DEFAULT_SIMD_COSTS[name]).toBeLessThan(2);
      }
    },
  );

  test('threads are those of default costs, from 1 to 64', async () => {
    const graph = await traceAttention(SHAPE);
    const onTwo = compileGraph(graph, { polyModulusDegrees: [8192], threads: 2 });
    expect(profile(onTwo, 20, defaultCosts('simd', 2)).predictedMs).toBeLessThanOrEqual(
      profile(program, 20, defaultCosts('simd', 2)).predictedMs,
    );
    expect(() => compileGraph(graph, { threads: 65 })).toThrow(HeError);
    expect(() => compileGraph(graph, { threads: 2, costs: DEFAULT_SIMD_COSTS })).toThrow(HeError);
  });
});
