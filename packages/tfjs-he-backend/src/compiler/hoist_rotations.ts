import { HeError } from '../errors.js';
import { type Instruction, outputRegisters, type Program, type Register, readsOf, type Segment, writeOf } from '../program/program.js';
import { keySwitchingKeyBytes } from './cost_model.js';

export interface HoistOptions {
  /** Upper bound on relinearisation and Galois keys in the server's memory, in bytes (default 1 GB). */
  readonly maxEvaluationKeyBytes?: number;
}

/** A value that is a rotation of another, which has not changed since. */
interface Origin {
  readonly root: Register;
  readonly steps: number;
}

/**
 * Pass: turns chains of rotations of one value into rotations of that value, for engines that compute several of those at once (simd decomposes the ciphertext
 * once for all of them). Every distance needs a Galois key: those that shorten most chains get one, as far as the budget goes; rotations nobody needs any
 * longer, and their keys, are dropped. The result computes the same as the program; on an engine that does not hoist it takes as long.
 * @throws HeError PARAMETERS_INVALID when the budget is not a number.
 */
export function hoistRotations(program: Program, { maxEvaluationKeyBytes = 1e9 }: HoistOptions = {}): Program {
  if (!(maxEvaluationKeyBytes >= 0)) {
    throw new HeError('PARAMETERS_INVALID', 'maxEvaluationKeyBytes is not a number of bytes', {
      op: 'hoistRotations',
      hint: 'Give the memory the server has for the keys of one client.',
    });
  }
  const kept = new Set(program.galoisSteps);
  return withKeys(program, new Set([...kept, ...wantedDistances(program).slice(0, room(program, maxEvaluationKeyBytes))]));
}

/** What one more key must save of the predicted latency, since clients make, send and keep it. */
const WORTH_A_KEY = 0.01;
/** Numbers of further keys that are tried. */
const KEYS_TRIED: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

/**
 * Pass: the same where it pays: rotations are of the value itself wherever a key there is allows it, and further keys are given as far as each saves a hundredth of the latency.
 * @param ms predicted latency of a program
 */
export function hoistByCost(program: Program, maxEvaluationKeyBytes: number, ms: (program: Program) => number): Program {
  const kept = new Set(program.galoisSteps);
  const wanted = wantedDistances(program);
  const most = Math.min(wanted.length, room(program, maxEvaluationKeyBytes));
  const before = ms(program);
  let best = { program, cost: before };
  for (const count of KEYS_TRIED) {
    if (count > most) break;
    const hoisted = withKeys(program, new Set([...kept, ...wanted.slice(0, count)]));
    const cost = ms(hoisted) + WORTH_A_KEY * before * Math.max(0, hoisted.galoisSteps.length - kept.size);
    if (cost < best.cost) best = { program: hoisted, cost };
  }
  return best.program;
}

/** Keys that fit in the budget besides those there are. */
function room({ parameters, galoisSteps }: Program, maxEvaluationKeyBytes: number): number {
  const keyBytes = keySwitchingKeyBytes(parameters.polyModulusDegree, parameters.coeffModulus.length);
  return Math.max(0, Math.floor(maxEvaluationKeyBytes / keyBytes) - 1 - galoisSteps.length);
}

/** Distances without a key, those of most rotations first. */
function wantedDistances(program: Program): number[] {
  const kept = new Set(program.galoisSteps);
  return [...distances(program, program.parameters.polyModulusDegree / 2)]
    .filter(([steps]) => !kept.has(steps))
    .sort(([, a], [, b]) => b - a)
    .map(([steps]) => steps);
}

function withKeys(program: Program, allowed: ReadonlySet<number>): Program {
  const slots = program.parameters.polyModulusDegree / 2;
  const hoisted = program.segments.map((segment) => ({ ...segment, instructions: flatten(segment.instructions, slots, allowed) }));
  const segments = withoutUnused(hoisted, program);
  const used = segments.flatMap(({ instructions }) => instructions.flatMap((i) => (i.op === 'rotate' ? [i.steps] : [])));
  return { ...program, segments, galoisSteps: [...new Set(used)].sort((a, b) => a - b) };
}

/** Follows values through a segment: calls `visit` with every rotation and where its operand comes from. */
function follow(
  instructions: readonly Instruction[],
  slots: number,
  visit: (position: number, rotation: Instruction, origin: Origin) => Origin,
): void {
  const origins = new Map<Register, Origin>();
  for (const [position, instruction] of instructions.entries()) {
    const written = writeOf(instruction);
    if (instruction.op === 'rotate') {
      const { root, steps } = origins.get(instruction.a) ?? { root: instruction.a, steps: 0 };
      origins.set(written, visit(position, instruction, { root, steps: (steps + instruction.steps) % slots }));
      continue;
    }
    // A register that changes is no rotation any more, and no root of what was rotated before.
    origins.delete(written);
    for (const [register, { root }] of origins) if (root === written) origins.delete(register);
  }
}

/** How many rotations would be of each distance if all chains were flat. */
function distances(program: Program, slots: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { instructions } of program.segments) {
    follow(instructions, slots, (_, __, origin) => {
      if (origin.steps !== 0) counts.set(origin.steps, (counts.get(origin.steps) ?? 0) + 1);
      return origin;
    });
  }
  return counts;
}

function flatten(instructions: readonly Instruction[], slots: number, allowed: ReadonlySet<number>): Instruction[] {
  const result = [...instructions];
  follow(instructions, slots, (position, rotation, origin) => {
    if (rotation.op === 'rotate' && allowed.has(origin.steps)) {
      result[position] = { ...rotation, a: origin.root, steps: origin.steps };
      return origin;
    }
    // No key of that distance: a chain starts again at the operand.
    return rotation.op === 'rotate' ? { root: rotation.a, steps: rotation.steps } : origin;
  });
  return result;
}

/** Drops rotations whose results nobody reads, last ones first. */
function withoutUnused(segments: readonly Segment[], program: Program): Segment[] {
  const read = new Set<Register>(outputRegisters(program));
  const result: Segment[] = [];
  for (const { instructions, refreshes } of [...segments].reverse()) {
    for (const { from } of refreshes) read.add(from);
    const kept: Instruction[] = [];
    for (const instruction of [...instructions].reverse()) {
      if (instruction.op === 'rotate' && !read.has(instruction.out)) continue;
      for (const register of readsOf(instruction)) read.add(register);
      kept.push(instruction);
    }
    result.push({ instructions: kept.reverse(), refreshes });
  }
  return result.reverse();
}
