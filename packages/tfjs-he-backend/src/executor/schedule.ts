import { instructionTimes } from '../compiler/cost_model.js';
import { type CostEngine, defaultCosts } from '../compiler/costs.js';
import { neededAfter } from '../program/liveness.js';
import { type Instruction, type Program, type Register, readsOf, writeOf } from '../program/program.js';

/** Where values that later segments, refreshes or outputs need go. */
export const HOME = -1;

/** A version of a register: what an instruction left there, or what the segment starts from. */
export type ValueKey = string;

/** An instruction on the worker that it was dealt to. */
export interface WorkerStep {
  /** Position in the segment. */
  readonly position: number;
  readonly instruction: Instruction;
  /** Values that come from elsewhere before it. */
  readonly imports: readonly { readonly key: ValueKey; readonly register: Register }[];
  /** Where its result goes, by worker. */
  readonly exports: readonly number[];
  readonly key: ValueKey;
  /** Registers that this worker does not need any more. */
  readonly releases: readonly Register[];
}

/** A segment dealt out to workers. */
export interface SegmentPlan {
  readonly workers: readonly (readonly WorkerStep[])[];
  /** What the segment starts from, and who needs it. */
  readonly inputs: readonly { readonly key: ValueKey; readonly register: Register; readonly to: readonly number[] }[];
  /** What comes home. */
  readonly results: ReadonlyMap<ValueKey, Register>;
  /** Predicted milliseconds, and those of one worker. */
  readonly ms: number;
  readonly serialMs: number;
}

/** To save, send and load a ciphertext, per residue. */
const TRANSFER_MS_PER_RESIDUE = 6e-5;
/** Less gain than this is not worth the traffic. */
const LEAST_GAIN = 1.1;

/**
 * Plans of all segments. Deterministic, so that everyone can make the same.
 * @param engine whose operations the workers run; on simd, work shared between operations counts where it is done on one thread
 */
export function schedule(program: Program, workers: number, engine: CostEngine): SegmentPlan[] {
  const needed = neededAfter(program);
  const times = instructionTimes(program, defaultCosts(engine));
  return program.segments.map(({ instructions, refreshes }, s) => {
    const home = new Set([...(needed[s] ?? []), ...refreshes.map(({ from }) => from)]);
    const n = program.parameters.polyModulusDegree;
    const plan = (count: number) => dealOut(instructions, times[s] ?? [], n, home, count);
    const serial = plan(1);
    const parallel = workers > 1 ? plan(workers) : serial;
    const best = parallel.ms * LEAST_GAIN <= serial.ms ? parallel : serial;
    const idle = Array.from({ length: workers - best.workers.length }, () => []);
    return { ...best, workers: [...best.workers, ...idle], serialMs: serial.ms };
  });
}

interface Dependencies {
  readonly before: readonly ReadonlySet<number>[];
  readonly after: readonly ReadonlySet<number>[];
  /** By instruction: the version of every register it reads. */
  readonly reads: readonly (readonly { readonly register: Register; readonly writer: number }[])[];
}

/** Writer of what a segment starts from. */
const BORDER = -1;

function dependencies(instructions: readonly Instruction[]): Dependencies {
  const before = instructions.map(() => new Set<number>());
  const after = instructions.map(() => new Set<number>());
  const writers = new Map<Register, number>();
  const readers = new Map<Register, number[]>();
  const order = (first: number, second: number): void => {
    if (first === BORDER || first === second) return;
    before[second]?.add(first);
    after[first]?.add(second);
  };
  const reads = instructions.map((instruction, i) => {
    const own = [...new Set(readsOf(instruction))].map((register) => ({ register, writer: writers.get(register) ?? BORDER }));
    for (const { register, writer } of own) {
      order(writer, i);
      const others = readers.get(register);
      if (others === undefined) readers.set(register, [i]);
      else others.push(i);
    }
    const register = writeOf(instruction);
    for (const reader of readers.get(register) ?? []) order(reader, i);
    order(writers.get(register) ?? BORDER, i);
    writers.set(register, i);
    readers.set(register, []);
    return own;
  });
  return { before, after, reads };
}

/** Registers that must stay together: those of instructions with several ciphertexts of three polynomials, which do not travel. */
function clusters(instructions: readonly Instruction[]): (register: Register) => Register {
  const parent = new Map<Register, Register>();
  const find = (register: Register): Register => {
    let root = register;
    for (let up = parent.get(root); up !== undefined && up !== root; up = parent.get(root)) root = up;
    return root;
  };
  const large = new Set<Register>();
  for (const instruction of instructions) {
    const result = writeOf(instruction);
    const together = readsOf(instruction).filter((register) => large.has(register));
    switch (instruction.op) {
      case 'multiply':
      case 'square':
      case 'accumulateProduct':
        large.add(result);
        break;
      case 'relinearize':
        large.delete(result);
        break;
      default:
        if (together.length > 0) large.add(result);
        else if ('out' in instruction) large.delete(result);
    }
    for (const register of together) parent.set(find(register), find(result));
  }
  return find;
}

/**
 * List scheduling by rank: the instruction with the longest way to the end goes to the worker that finishes it first, transfers included (HEFT:
 * Topcuoglu, Hariri and Wu, IEEE TPDS 13, 2002). In-place instructions stay where their register is.
 */
function dealOut(
  instructions: readonly Instruction[],
  cost: readonly number[],
  n: number,
  home: ReadonlySet<Register>,
  workers: number,
): SegmentPlan {
  const { before, after, reads } = dependencies(instructions);
  const clusterOf = clusters(instructions);
  const transfer = instructions.map(({ level }) => (workers > 1 ? 2 * n * (level + 1) * TRANSFER_MS_PER_RESIDUE : 0));
  const rank = cost.slice();
  for (let i = instructions.length - 1; i >= 0; i--) {
    let longest = 0;
    for (const next of after[i] ?? []) longest = Math.max(longest, rank[next] ?? 0);
    rank[i] = (rank[i] ?? 0) + longest;
  }
  const worker = new Array<number>(instructions.length).fill(0);
  const end = new Array<number>(instructions.length).fill(0);
  const free = new Array<number>(workers).fill(0);
  const sequence: number[][] = Array.from({ length: workers }, () => []);
  const places = new Map<Register, number>();
  const waiting = before.map((set) => set.size);
  const ready = new Set(waiting.flatMap((count, i) => (count === 0 ? [i] : [])));
  while (ready.size > 0) {
    let next = -1;
    for (const i of ready) if (next < 0 || (rank[i] ?? 0) > (rank[next] ?? 0)) next = i;
    ready.delete(next);
    const instruction = instructions[next];
    if (instruction === undefined) break;
    const cluster = clusterOf(writeOf(instruction));
    const fixed = places.get(cluster);
    let best = { worker: 0, end: Number.POSITIVE_INFINITY };
    for (let w = 0; w < workers; w++) {
      if (fixed !== undefined && w !== fixed) continue;
      let start = free[w] ?? 0;
      for (const i of before[next] ?? []) start = Math.max(start, (end[i] ?? 0) + (worker[i] === w ? 0 : (transfer[i] ?? 0)));
      const done = start + (cost[next] ?? 0);
      if (done < best.end) best = { worker: w, end: done };
    }
    places.set(cluster, best.worker);
    worker[next] = best.worker;
    end[next] = best.end;
    free[best.worker] = best.end;
    sequence[best.worker]?.push(next);
    for (const i of after[next] ?? []) {
      const left = (waiting[i] ?? 0) - 1;
      waiting[i] = left;
      if (left === 0) ready.add(i);
    }
  }
  const ms = Math.max(...free);
  return { ...steps(instructions, reads, sequence, worker, home), ms, serialMs: ms };
}

/** Imports, exports and releases of a placement. */
function steps(
  instructions: readonly Instruction[],
  reads: Dependencies['reads'],
  sequence: readonly (readonly number[])[],
  worker: readonly number[],
  home: ReadonlySet<Register>,
): Pick<SegmentPlan, 'workers' | 'inputs' | 'results'> {
  const keyOf = (register: Register, writer: number): ValueKey => `${register}@${writer}`;
  const destinations = instructions.map(() => new Set<number>());
  const inputs = new Map<Register, Set<number>>();
  const lastWriter = new Map<Register, number>();
  instructions.forEach((instruction, i) => {
    lastWriter.set(writeOf(instruction), i);
  });
  const results = new Map<ValueKey, Register>();
  for (const [register, writer] of lastWriter) {
    if (!home.has(register)) continue;
    destinations[writer]?.add(HOME);
    results.set(keyOf(register, writer), register);
  }
  const imports = new Map<number, { key: ValueKey; register: Register }[]>();
  const releases = new Map<number, Register[]>();
  sequence.forEach((own, w) => {
    const imported = new Set<ValueKey>();
    const lastTouch = new Map<Register, number>();
    for (const i of own) {
      const needs = (reads[i] ?? []).filter(({ writer }) => writer === BORDER || worker[writer] !== w);
      const fresh = needs
        .map(({ register, writer }) => ({ register, writer, key: keyOf(register, writer) }))
        .filter(({ key }) => !imported.has(key));
      for (const { register, writer, key } of fresh) {
        imported.add(key);
        if (writer === BORDER) inputs.set(register, (inputs.get(register) ?? new Set()).add(w));
        else destinations[writer]?.add(w);
      }
      imports.set(
        i,
        fresh.map(({ key, register }) => ({ key, register })),
      );
      for (const { register } of reads[i] ?? []) lastTouch.set(register, i);
      const instruction = instructions[i];
      if (instruction !== undefined) lastTouch.set(writeOf(instruction), i);
    }
    for (const [register, i] of lastTouch) releases.set(i, [...(releases.get(i) ?? []), register]);
  });
  return {
    workers: sequence.map((own) =>
      own.flatMap((position) => {
        const instruction = instructions[position];
        if (instruction === undefined) return [];
        const key = keyOf(writeOf(instruction), position);
        const exports = [...(destinations[position] ?? [])];
        return [{ position, instruction, imports: imports.get(position) ?? [], exports, key, releases: releases.get(position) ?? [] }];
      }),
    ),
    inputs: [...inputs].map(([register, to]) => ({ key: keyOf(register, BORDER), register, to: [...to] })),
    results,
  };
}
