import { createParameters } from '../parameters/parameters.js';
import type { Constant, Instruction, Program, Register } from '../program/program.js';
import { MINIMUM_MASK_SLACK_BITS, maskSlackBits } from '../ring/mask.js';

type Body<T> = T extends Instruction ? Omit<T, 'layer' | 'level'> : never;

/** Layers of the program are named by operation and level, e.g. 'rotate 2', so that a run reports their times. */
const SETUP = 'setup';
const REFRESHES_A_ROUND = 2;

/**
 * A program that does every operation `repeat` times at every level of a parameter set, and as many rounds of refreshes where masks have room: rotations both of one value ('rotate') and each
 * of the one before ('chain'); sums of products with plaintexts, which an engine may compute when they are used ('accumulate', 'settle'). Its results mean nothing; its layers' times, as a run reports them, are what
 * {@link fitCosts} takes.
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
  const reserve = (): Register[] => Array.from({ length: repeat }, () => registers++);
  const dropped = (level: number): number => {
    if (level === maxLevel) return 0;
    const out = registers++;
    push(SETUP, maxLevel, { op: 'modSwitch', out, a: 0, toLevel: level });
    return out;
  };
  for (let level = maxLevel; level >= 1; level--) {
    const a = dropped(level);
    const weights = Array.from(
      { length: repeat },
      (_, i) => constants.push({ values: wave(parameters.slots, i), shift: 0, level, scale }) - 1,
    );
    const weight = (i: number): number => weights[i] ?? 0;
    const sum = registers++;
    push(SETUP, level, { op: 'multiplyPlain', out: sum, a, constant: weight(0) });
    const [rotated, chained, products] = [reserve(), reserve(), reserve()];
    const rescaled = (scale * scale) / parameters.primeAt(level);
    times('rotate', level, (i) => ({ op: 'rotate', out: rotated[i] ?? 0, a, steps: i + 1 }));
    times('chain', level, (i) => ({ op: 'rotate', out: chained[i] ?? 0, a: chained[i - 1] ?? a, steps: 1 }));
    times('multiplyPlain', level, (i) => ({ op: 'multiplyPlain', out: registers++, a, constant: weight(i) }));
    times('accumulatePlain', level, (i) => ({ op: 'accumulatePlain', acc: sum, a, constant: weight(i) }));
    times('accumulatePlain', level, (i) => ({ op: 'accumulatePlain', acc: sum, a: rotated[i] ?? 0, constant: weight(i) }));
    const sums = reserve();
    sums.forEach((out, i) => {
      push(SETUP, level, { op: 'multiplyPlain', out, a: rotated[i] ?? 0, constant: weight(i) });
      rotated.forEach((other, j) => {
        if (j !== i) push(SETUP, level, { op: 'accumulatePlain', acc: out, a: other, constant: weight(j) });
      });
    });
    times('accumulate', level, (i) => ({ op: 'accumulate', acc: sums[0] ?? 0, a: sums[Math.max(1, i)] ?? 0 }));
    push(`settle ${level}`, level, { op: 'rescale', acc: sum, scale: rescaled });
    times('add', level, () => ({ op: 'add', out: registers++, a, b: a }));
    times('square', level, () => ({ op: 'square', out: registers++, a }));
    times('multiply', level, (i) => ({ op: 'multiply', out: products[i] ?? 0, a, b: a }));
    times('accumulateProduct', level, (i) => ({ op: 'accumulateProduct', acc: products[i] ?? 0, a, b: a }));
    times('relinearize', level, (i) => ({ op: 'relinearize', acc: products[i] ?? 0 }));
    times('rescale', level, (i) => ({ op: 'rescale', acc: products[i] ?? 0, scale: rescaled }));
  }
  const from = dropped(refreshLevel);
  const round = () => Array.from({ length: REFRESHES_A_ROUND }, () => ({ from, to: registers++ }));
  const refreshes = maskSlackBits(parameters) < MINIMUM_MASK_SLACK_BITS ? [] : Array.from({ length: repeat }, round);
  const layout = { shape: [1], ciphertexts: 1, slotOf: [0], period: 1 };
  return {
    format: 'he-program',
    version: 2,
    parameters: literal,
    layers,
    inputs: [{ registers: [0], layout: { ...layout, name: 'x' } }],
    outputs: [{ registers: [from], layout: { ...layout, name: 'y' } }],
    constants,
    segments: [instructions, ...refreshes.map(() => [])].map((own, i) => ({ instructions: own, refreshes: refreshes[i] ?? [] })),
    registers,
    galoisSteps: Array.from({ length: repeat }, (_, i) => i + 1),
  };
}

/** As many different values as there are slots: a constant of short period is a smaller one on some engines. */
function wave(slots: number, seed: number): Float64Array {
  return Float64Array.from({ length: slots }, (_, s) => Math.cos(1 + s * (seed + 1)));
}
