import { randomBytes } from '@noble/hashes/utils.js';
import { HeError } from '../errors.js';
import { lastUses } from '../program/liveness.js';
import { type Instruction, inputRegisters, type Program, type Register, readsOf, writeOf } from '../program/program.js';
import { createTurns, throwIfAborted } from '../turns.js';
import type { DeclaredInterval, Interval } from './intervals.js';
import type { Lane } from './lanes.js';
import { type PrecisionReport, precisionReport } from './precision.js';

/** Bits of one result on each engine: -log2 of the largest error over the slots. */
export type BitsBy<E extends string> = Readonly<Record<E, number>>;

/** One operation of the program. */
export interface DebugStep<E extends string = 'seal' | 'mock'> {
  readonly index: number;
  readonly segment: number;
  readonly layer: string;
  readonly op: Instruction['op'] | 'refresh';
  /** Level at which it ran. */
  readonly level: number;
  /** Least and largest exact value over all slots. */
  readonly range: Interval;
  readonly bits: BitsBy<E>;
  /** Bits of the least precise operand minus those of the result: what this operation cost. */
  readonly lost: BitsBy<E>;
}

/** The first operation whose exact result leaves the interval declared for it. */
export interface IntervalBreach {
  readonly step: number;
  readonly layer: string;
  readonly op: string;
  readonly range: Interval;
  /** `modulus`: values times scale exceed half the modulus, so that decryption would give noise; the range is that of the first operand. */
  readonly source: DeclaredInterval['source'] | 'modulus';
  /** Absent for `modulus`. */
  readonly interval?: Interval;
}

export interface DebugReport<E extends string = 'seal' | 'mock'> {
  readonly steps: readonly DebugStep<E>[];
  readonly outside: IntervalBreach | null;
  /** By output name; empty when the run ended at `outside`, as it does beyond the modulus and before a refresh beyond its bound. */
  readonly outputs: Readonly<Record<string, Readonly<Record<E, PrecisionReport>>>>;
}

/** What a run of lanes can be watched and cancelled by. */
export interface LaneControl {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a program in several lanes at once, and in exact arithmetic to compare them with.
 * @param exact the lane without noise
 * @param compared the others, by name of their engine
 * @param inputs slots of the input ciphertexts
 * @throws HeError of an engine, but for values beyond the modulus: these are what `outside` tells; ABORTED.
 */
export async function runLanes<E extends string>(
  program: Program,
  slots: number,
  exact: Lane,
  compared: Readonly<Record<E, Lane>>,
  intervals: ReadonlyMap<Instruction, readonly DeclaredInterval[]>,
  inputs: readonly Float64Array[],
  { onProgress, signal }: LaneControl,
): Promise<DebugReport<E>> {
  const steps: DebugStep<E>[] = [];
  const bits = new Map<Register, BitsBy<E>>();
  const dying = lastUses(program);
  const total = program.segments.reduce((sum, { instructions, refreshes }) => sum + instructions.length + refreshes.length, 0);
  const serverKey = randomBytes(32);
  const turns = createTurns();
  const all = [exact, ...Object.values<Lane>(compared)];
  let outside: IntervalBreach | null = null;

  const bitsOf = (register: Register): BitsBy<E> => {
    const values = exact.values(register);
    return mapRecord(compared, (lane) => worstBits(lane.values(register), values));
  };
  const record = (
    at: Pick<DebugStep, 'segment' | 'layer' | 'op' | 'level'>,
    operands: readonly Register[],
    result: Register,
  ): DebugStep<E> => {
    const own = bitsOf(result);
    const before = operands.map((register) => bits.get(register) ?? own);
    bits.set(result, own);
    const step = {
      index: steps.length,
      ...at,
      range: rangeOf(exact.values(result)),
      bits: own,
      lost: mapRecord(own, (value, engine) => Math.min(...before.map((operand) => operand[engine])) - value),
    };
    steps.push(step);
    return step;
  };
  const breathe = async (): Promise<void> => {
    throwIfAborted(signal, 'debug');
    onProgress?.(steps.length, total);
    if (turns.due()) await turns.next();
  };

  for (const [i, register] of inputRegisters(program).entries()) {
    for (const lane of all) lane.load(register, inputs[i] ?? new Float64Array(slots));
    bits.set(register, bitsOf(register));
  }
  for (const [segment, { instructions, refreshes }] of program.segments.entries()) {
    for (const [position, instruction] of instructions.entries()) {
      await breathe();
      const layer = program.layers[instruction.layer] ?? '';
      const operands = readsOf(instruction);
      try {
        for (const lane of all) lane.step(instruction);
      } catch (error) {
        if (!(error instanceof HeError) || error.code !== 'VALUE_OVERFLOW') throw error;
        const range = rangeOf(exact.values(operands[0] ?? 0));
        return { steps, outside: outside ?? { step: steps.length, layer, op: instruction.op, range, source: 'modulus' }, outputs: {} };
      }
      const step = record({ segment, layer, op: instruction.op, level: instruction.level }, operands, writeOf(instruction));
      for (const { interval, source } of intervals.get(instruction) ?? []) {
        const [low, high] = step.range;
        if (low < interval[0] || high > interval[1])
          outside ??= { step: step.index, layer, op: step.op, range: step.range, source, interval };
      }
      for (const register of dying[segment]?.[position] ?? []) for (const lane of all) lane.release(register);
    }
    for (const [index, refresh] of refreshes.entries()) {
      await breathe();
      // Beyond the bound of the mask, nothing that follows means anything.
      if (outside?.source === 'valueBits') return { steps, outside, outputs: {} };
      for (const lane of all) lane.refresh(refresh, { serverKey, session: 'debug', segment, index });
      record({ segment, layer: '', op: 'refresh', level: 0 }, [refresh.from], refresh.to);
    }
  }
  onProgress?.(total, total);
  const outputs = program.outputs.map(({ registers, layout }) => {
    const elements = (lane: Lane) => {
      const vectors = registers.map((register) => lane.values(register));
      return Float64Array.from(layout.slotOf, (place) => vectors[Math.floor(place / slots)]?.[place % slots] ?? 0);
    };
    const expected = elements(exact);
    return [layout.name, mapRecord(compared, (lane) => precisionReport(elements(lane), expected))] as const;
  });
  return { steps, outside, outputs: Object.fromEntries(outputs) };
}

/** The same names with other values. */
function mapRecord<E extends string, A, B>(record: Readonly<Record<E, A>>, f: (value: A, name: E) => B): Readonly<Record<E, B>> {
  const names = Object.keys(record) as E[]; // a record has no other keys
  return Object.fromEntries(names.map((name) => [name, f(record[name], name)])) as Record<E, B>; // nor has this one
}

function worstBits(actual: Float64Array, exact: Float64Array): number {
  let worst = 0;
  for (let i = 0; i < exact.length; i++) worst = Math.max(worst, Math.abs((actual[i] ?? 0) - (exact[i] ?? 0)));
  return Math.min(53, -Math.log2(worst));
}

function rangeOf(values: Float64Array): Interval {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}
