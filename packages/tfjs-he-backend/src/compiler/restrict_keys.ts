import { HeError } from '../errors.js';
import { type Instruction, type Program, type Register, type Segment, writeOf } from '../program/program.js';
import { instructionTimes } from './cost_model.js';
import { type Costs, DEFAULT_COSTS } from './costs.js';

/**
 * Pass: brings a program down to at most `galoisKeys` Galois keys. Rotations without a key become chains of rotations that have one, shared
 * within a segment. Keys are given up one at a time, always the one that costs the least time; a dense map by baby-step giant-step is down
 * to two keys at almost no cost, since its rotations are chains already.
 * @throws HeError COMPILE_FAILED when no key set of that size reaches all rotations (galoisKeys < 1).
 */
export function restrictKeys(program: Program, galoisKeys: number, costs: Costs = DEFAULT_COSTS): Program {
  if (program.galoisSteps.length <= galoisKeys) return program;
  const slots = program.parameters.polyModulusDegree / 2;
  const uses = timeByStep(program, costs);
  let keys = [...program.galoisSteps];
  while (keys.length > Math.max(0, galoisKeys)) {
    let best: { readonly keys: number[]; readonly ms: number } | null = null;
    for (const dropped of keys) {
      const left = keys.filter((key) => key !== dropped);
      const ms = timeWith(uses, chains(left, slots));
      if (best === null || ms < best.ms) best = { keys: left, ms };
    }
    if (best === null || !Number.isFinite(best.ms)) {
      throw new HeError('COMPILE_FAILED', `no ${galoisKeys} Galois keys reach all rotations`, {
        op: 'restrictKeys',
        hint: 'Raise maxEvaluationKeyBytes.',
      });
    }
    keys = best.keys;
  }
  const chain = chains(keys, slots);
  let registers = program.registers;
  const newRegister = (): Register => registers++;
  const segments = program.segments.map((segment) => withChains(segment, chain, newRegister));
  return { ...program, segments, registers, galoisSteps: keys };
}

/** Shortest chains of rotations: steps of every rotation, and the last one of its chain (0: unreachable). */
interface Chains {
  readonly length: Int32Array;
  readonly last: Int32Array;
}

/** Breadth-first search over all rotations. */
function chains(keys: readonly number[], slots: number): Chains {
  const length = new Int32Array(slots).fill(-1);
  const last = new Int32Array(slots);
  const queue = new Int32Array(slots);
  length[0] = 0;
  let count = 1;
  for (let next = 0; next < count; next++) {
    const step = queue[next] ?? 0;
    for (const key of keys) {
      const reached = (step + key) % slots;
      if (length[reached] !== -1) continue;
      length[reached] = (length[step] ?? 0) + 1;
      last[reached] = key;
      queue[count++] = reached;
    }
  }
  return { length, last };
}

/** Milliseconds of the rotations by each step. */
function timeByStep(program: Program, costs: Costs): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  const ms = instructionTimes(program, costs);
  program.segments.forEach(({ instructions }, segment) => {
    instructions.forEach((instruction, position) => {
      if (instruction.op !== 'rotate') return;
      times.set(instruction.steps, (times.get(instruction.steps) ?? 0) + (ms[segment]?.[position] ?? 0));
    });
  });
  return times;
}

/** Infinity when a rotation is out of reach. */
function timeWith(uses: ReadonlyMap<number, number>, { length }: Chains): number {
  let total = 0;
  for (const [step, ms] of uses) {
    const links = length[step] ?? -1;
    total += links < 0 ? Number.POSITIVE_INFINITY : ms * links;
  }
  return total;
}

function withChains({ instructions, refreshes }: Segment, { last }: Chains, newRegister: () => Register): Segment {
  const out: Instruction[] = [];
  /** source -> step -> where it lies, as long as neither end of it is changed in place. */
  const known = new Map<Register, Map<number, Register>>();
  const results = new Set<Register>();
  const forget = (changed: Register): void => {
    known.delete(changed);
    if (!results.delete(changed)) return;
    for (const byStep of known.values()) for (const [step, register] of byStep) if (register === changed) byStep.delete(step);
  };
  const rotated = (rotation: Extract<Instruction, { op: 'rotate' }>, steps: number, slots: number, target: Register | null): Register => {
    const { a } = rotation;
    if (steps === 0) return a;
    const byStep = known.get(a) ?? new Map<number, Register>();
    known.set(a, byStep);
    const before = byStep.get(steps);
    if (before !== undefined && target === null) return before;
    const key = last[steps] ?? 0;
    const from = rotated(rotation, (steps - key + slots) % slots, slots, null);
    const register = target ?? newRegister();
    out.push({ ...rotation, out: register, a: from, steps: key });
    byStep.set(steps, register);
    results.add(register);
    return register;
  };
  for (const instruction of instructions) {
    if (instruction.op === 'rotate') rotated(instruction, instruction.steps, last.length, instruction.out);
    else {
      if ('acc' in instruction) forget(writeOf(instruction));
      out.push(instruction);
    }
  }
  return { instructions: out, refreshes };
}
