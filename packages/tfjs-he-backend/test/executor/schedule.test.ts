import { beforeAll, describe, expect, test } from '@jest/globals';
import { createEmptyEngine } from '../../src/engines/empty.js';
import { interpret } from '../../src/executor/interpret.js';
import { RegisterFile } from '../../src/executor/register_file.js';
import { HOME, type SegmentPlan, schedule } from '../../src/executor/schedule.js';
import { compileGraph, type Program } from '../../src/index.js';
import { createParameters } from '../../src/parameters/parameters.js';
import { type Instruction, inputRegisters, outputRegisters } from '../../src/program/program.js';
import { traceAttention } from '../support/attention.js';

let program: Program;
beforeAll(async () => {
  program = compileGraph(await traceAttention({ tokens: 2, heads: 2, headDim: 2, labels: 3 }), { polyModulusDegrees: [8192] });
});

/** Runs the workers of a plan as threads would, one step each in turn, with values that only arrive when they were sent. */
function simulate(plans: readonly SegmentPlan[], workers: number): Instruction[] {
  const engine = createEmptyEngine(createParameters(program.parameters), { galoisSteps: program.galoisSteps });
  const constants = program.constants.map(({ level, scale }) => engine.encode(new Float64Array(engine.parameters.slots), level, scale));
  const home = new RegisterFile(engine);
  const done: Instruction[] = [];
  for (const register of inputRegisters(program)) home.set(register, engine.load(new Uint8Array(0)));
  for (const [s, plan] of plans.entries()) {
    const files = Array.from({ length: workers }, () => new RegisterFile(engine));
    const inbox = Array.from({ length: workers }, () => new Map<string, ReturnType<typeof engine.clone>>());
    for (const { key, register, to } of plan.inputs) for (const w of to) inbox[w]!.set(key, engine.clone(home.get(register)));
    const next = new Array<number>(workers).fill(0);
    for (let progress = true; progress; ) {
      progress = false;
      for (let w = 0; w < workers; w++) {
        const step = plan.workers[w]![next[w]!];
        if (step === undefined || !step.imports.every(({ key }) => inbox[w]!.has(key))) continue;
        for (const { key, register } of step.imports) files[w]!.set(register, inbox[w]!.get(key)!);
        interpret(step.instruction, engine, files[w]!, (id) => constants[id]!);
        const result = files[w]!.get('out' in step.instruction ? step.instruction.out : step.instruction.acc);
        if (step.exports.length > 0) expect(engine.info(result).size).toBe(2);
        for (const to of step.exports) {
          if (to === HOME) home.set(plan.results.get(step.key)!, engine.clone(result));
          else inbox[to]!.set(step.key, engine.clone(result));
        }
        for (const register of step.releases) files[w]!.release(register);
        done.push(step.instruction);
        next[w]!++;
        progress = true;
      }
    }
    expect(next).toEqual(plan.workers.map((steps) => steps.length));
    for (const { from, to } of program.segments[s]!.refreshes) {
      expect(engine.info(home.get(from)).level).toBe(engine.parameters.refreshLevel);
      home.set(to, engine.load(new Uint8Array(0)));
    }
  }
  for (const register of outputRegisters(program)) engine.save(home.get(register));
  return done;
}

describe.each([1, 2, 3, 5])('a schedule for %i workers', (workers) => {
  test('executes every instruction once, in an order that gives every operand, and brings home what is needed', () => {
    const done = simulate(schedule(program, workers, 'seal'), workers);
    const all = program.segments.flatMap(({ instructions }) => instructions);
    expect(done.length).toBe(all.length);
    expect(new Set(done)).toEqual(new Set(all));
  });

  test('is never predicted to be slower than one worker, and is the same every time', () => {
    const plans = schedule(program, workers, 'seal');
    for (const { ms, serialMs } of plans) expect(ms).toBeLessThanOrEqual(serialMs + 1e-9);
    expect(schedule(program, workers, 'seal')).toEqual(plans);
  });
});

test('two workers are given work where operations are independent', () => {
  const plans = schedule(program, 2, 'seal');
  expect(Math.max(...plans.map(({ ms, serialMs }) => serialMs / ms))).toBeGreaterThan(1.2);
});
