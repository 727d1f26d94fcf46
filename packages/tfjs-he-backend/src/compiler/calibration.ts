import { createParameters } from '../parameters/parameters.js';
import type { Constant, Instruction, Program } from '../program/program.js';
import { COST_NAMES, type CostName, type Costs, costUnits, DEFAULT_COSTS } from './costs.js';

type Body<T> = T extends Instruction ? Omit<T, 'layer' | 'level'> : never;

/** Layers of the program are named by operation and level, e.g. 'rotate 2', so that a run reports their times. */
const SETUP = 'setup';

/**
 * A program that does every operation `repeat` times at every level of a parameter set, and refreshes as many ciphertexts. Its results mean
 * nothing; its layers' times, as a run reports them, are what {@link fitCosts} takes.
 */
export function calibrationProgram(literal: Program['parameters'], repeat: number): Program {
  const parameters = createParameters(literal);
  const { maxLevel, refreshLevel } = parameters;
  const scale = parameters.levelScale(maxLevel);
  const layers: string[] = [];
  const constants: Constant[] = [];
  const instructions: Instruction[] = [];
  let registers = 1;
  const push = (name: string, level: number, body: Body<Instruction>): void => {
    if (!layers.includes(name)) layers.push(name);
    instructions.push({ ...body, layer: layers.indexOf(name), level });
  };
  const times = (name: string, level: number, body: (i: number) => Body<Instruction>): void => {
    for (let i = 0; i < repeat; i++) push(`${name} ${level}`, level, body(i));
  };
  const dropped = (level: number): number => {
    if (level === maxLevel) return 0;
    const out = registers++;
    push(SETUP, maxLevel, { op: 'modSwitch', out, a: 0, toLevel: level });
    return out;
  };
  for (let level = maxLevel; level >= 1; level--) {
    const a = dropped(level);
    const constant = constants.push({ values: Float64Array.of(0.5, 0.25), shift: 0, level, scale }) - 1;
    const sum = registers++;
    push(SETUP, level, { op: 'multiplyPlain', out: sum, a, constant });
    const products = Array.from({ length: repeat }, () => registers++);
    times('rotate', level, () => ({ op: 'rotate', out: registers++, a, steps: 1 }));
    times('multiplyPlain', level, () => ({ op: 'multiplyPlain', out: registers++, a, constant }));
    times('accumulatePlain', level, () => ({ op: 'accumulatePlain', acc: sum, a, constant }));
    times('add', level, () => ({ op: 'add', out: registers++, a, b: a }));
    times('square', level, () => ({ op: 'square', out: registers++, a }));
    times('multiply', level, (i) => ({ op: 'multiply', out: products[i] ?? 0, a, b: a }));
    times('accumulateProduct', level, (i) => ({ op: 'accumulateProduct', acc: products[i] ?? 0, a, b: a }));
    times('relinearize', level, (i) => ({ op: 'relinearize', acc: products[i] ?? 0 }));
    times('rescale', level, (i) => ({ op: 'rescale', acc: products[i] ?? 0, scale: (scale * scale) / parameters.primeAt(level) }));
  }
  const from = dropped(refreshLevel);
  const refreshes = Array.from({ length: repeat }, () => ({ from, to: registers++ }));
  const layout = { shape: [1], ciphertexts: 1, slotOf: [0], period: 1 };
  return {
    format: 'he-program',
    version: 2,
    parameters: literal,
    layers,
    inputs: [{ registers: [0], layout: { ...layout, name: 'x' } }],
    outputs: [{ registers: [from], layout: { ...layout, name: 'y' } }],
    constants,
    segments: [
      { instructions, refreshes },
      { instructions: [], refreshes: [] },
    ],
    registers,
    galoisSteps: [1],
  };
}

/** What a run of a calibration program reports. */
export interface Measured {
  readonly program: Program;
  readonly repeat: number;
  readonly layers: readonly { readonly name: string; readonly ms: number }[];
  readonly refreshMs: number;
}

/** Costs by the median over all programs and levels. */
export function fitCosts(measured: readonly Measured[]): Costs {
  const samples = new Map<CostName, number[]>(COST_NAMES.map((name) => [name, []]));
  for (const { program, repeat, layers, refreshMs } of measured) {
    const { polyModulusDegree: n, coeffModulus } = program.parameters;
    samples.get('refresh')?.push(refreshMs / (repeat * costUnits('refresh', n, coeffModulus.length - 1)));
    for (const { name, ms } of layers) {
      const [op, level] = name.split(' ');
      const cost = COST_NAMES.find((known) => known === op);
      if (cost !== undefined) samples.get(cost)?.push(ms / (repeat * costUnits(cost, n, Number(level) + 1)));
    }
  }
  return { ...DEFAULT_COSTS, ...Object.fromEntries([...samples].map(([name, values]) => [name, median(values)])) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
