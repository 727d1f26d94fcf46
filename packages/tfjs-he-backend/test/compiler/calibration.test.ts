import { beforeAll, describe, expect, test } from '@jest/globals';
import { calibrationProgram, fitCosts } from '../../src/compiler/calibration.js';
import { checkProgram } from '../../src/compiler/check.js';
import { COST_NAMES, checkCosts, compileGraph, costUnits, DEFAULT_COSTS, type Program, profile } from '../../src/index.js';
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

  test('costs come out of the times they predict', () => {
    const costs = checkCosts(Object.fromEntries(COST_NAMES.map((name, i) => [name, 1e-6 * (i + 1)])));
    const n = calibration.parameters.polyModulusDegree;
    const layers = calibration.layers.map((name) => {
      const [op, level] = name.split(' ');
      const cost = COST_NAMES.find((known) => known === op);
      return { name, ms: cost === undefined ? 1 : REPEAT * costs[cost] * costUnits(cost, n, Number(level) + 1) };
    });
    const refreshMs = REPEAT * costs.refresh * costUnits('refresh', n, calibration.parameters.coeffModulus.length - 1);
    const fitted = fitCosts([{ program: calibration, repeat: REPEAT, layers, refreshMs }]);
    for (const name of COST_NAMES) expect(fitted[name] / costs[name]).toBeCloseTo(1, 9);
  });

  test('predictions are proportional to the costs', () => {
    const doubled = checkCosts(Object.fromEntries(COST_NAMES.map((name) => [name, 2 * DEFAULT_COSTS[name]])));
    expect(profile(program, 0, doubled).predictedMs / profile(program, 0).predictedMs).toBeCloseTo(2, 9);
  });

  test('parameters are chosen by the costs: where refreshes cost most, a longer chain has fewer', async () => {
    const graph = await traceAttention(SHAPE);
    const options = { polyModulusDegrees: [8192, 16384] };
    const refreshes = (refresh: number): number =>
      profile(compileGraph(graph, { ...options, costs: { ...DEFAULT_COSTS, refresh } })).refreshes;
    expect(refreshes(0.5)).toBeLessThan(refreshes(1e-6));
  });

  test('costs that are no times are PARAMETERS_INVALID and named', () => {
    expect(() => checkCosts({ ...DEFAULT_COSTS, rescale: Number.NaN })).toThrow(
      expect.objectContaining({ code: 'PARAMETERS_INVALID', message: expect.stringContaining('rescale') }),
    );
  });
});
