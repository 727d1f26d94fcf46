import { randomBytes } from '@noble/hashes/utils.js';
import { checkSlotVectors } from '../client/common.js';
import { HeError } from '../errors.js';
import { lastUses } from '../program/liveness.js';
import { manifestOf } from '../program/manifest_of.js';
import { type Instruction, inputRegisters, type Program, type Register, readsOf, writeOf } from '../program/program.js';
import { createTurns, throwIfAborted } from '../turns.js';
import { pack } from '../wire/layout.js';
import { parseManifest } from '../wire/manifest.js';
import { type DeclaredInterval, declaredIntervals, type Interval } from './intervals.js';
import { createExactLane, createMockLane, createSealLane, type Lane } from './lanes.js';
import { type PrecisionReport, precisionReport } from './precision.js';

export interface DebugOptions {
  /** Intervals that the results of layers must not leave, by name of the layer, e.g. those of a polynomial approximation. */
  readonly intervals?: Readonly<Record<string, Interval>>;
  /** Seed of the mock engine's noise (default 1). */
  readonly seed?: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Bits of one result, on SEAL and on mock: -log2 of the largest error over the slots. */
export interface BitsPair {
  readonly seal: number;
  readonly mock: number;
}

/** One operation of the program. */
export interface DebugStep {
  readonly index: number;
  readonly segment: number;
  readonly layer: string;
  readonly op: Instruction['op'] | 'refresh';
  /** Level at which it ran. */
  readonly level: number;
  /** Least and largest exact value over all slots. */
  readonly range: Interval;
  readonly bits: BitsPair;
  /** Bits of the least precise operand minus those of the result: what this operation cost. */
  readonly lost: BitsPair;
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

export interface DebugReport {
  readonly steps: readonly DebugStep[];
  readonly outside: IntervalBreach | null;
  /** By output name; empty when the run ended at `outside`, as it does beyond the modulus and before a refresh beyond its bound. */
  readonly outputs: Readonly<Record<string, { readonly seal: PrecisionReport; readonly mock: PrecisionReport }>>;
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
  if (program.state !== undefined) {
    throw new HeError('PARAMETERS_INVALID', 'the program goes on from run to run, which is not followed here', {
      op: 'debugProgram',
      hint: 'Compile it without state: what it keeps is then an input and an output like others.',
    });
  }
  if (inputs.length !== program.inputs.length) {
    throw new HeError('ENCODE_INVALID', `${inputs.length} inputs where the program has ${program.inputs.length}`, {
      op: 'debugProgram',
      hint: 'Give the values of every input of the manifest, in order.',
    });
  }
  const parsed = parseManifest(manifestOf(program), { minimumSecurityBits: 0 });
  const { parameters } = parsed;
  const intervals = declaredIntervals(program, parameters, options.intervals ?? {});
  const packed = program.inputs.flatMap(({ layout }, i) => pack(inputs[i] ?? [], layout, parameters.slots));
  checkSlotVectors(packed, parameters); // before keys are made
  throwIfAborted(signal, 'debugProgram');
  const lanes: Lanes = {
    exact: createExactLane(program, parameters),
    mock: createMockLane(program, parsed, seed),
    seal: await createSealLane(program, parsed),
  };
  try {
    return await runLanes(program, parameters.slots, lanes, intervals, packed, options);
  } finally {
    for (const lane of Object.values(lanes)) lane.close();
  }
}

type Lanes = { readonly exact: Lane; readonly mock: Lane; readonly seal: Lane };

async function runLanes(
  program: Program,
  slots: number,
  lanes: Lanes,
  intervals: ReadonlyMap<Instruction, readonly DeclaredInterval[]>,
  inputs: readonly Float64Array[],
  { onProgress, signal }: DebugOptions,
): Promise<DebugReport> {
  const steps: DebugStep[] = [];
  const bits = new Map<Register, BitsPair>();
  const dying = lastUses(program);
  const total = program.segments.reduce((sum, { instructions, refreshes }) => sum + instructions.length + refreshes.length, 0);
  const serverKey = randomBytes(32);
  const turns = createTurns();
  const all = Object.values(lanes);
  let outside: IntervalBreach | null = null;

  const record = (
    at: Pick<DebugStep, 'segment' | 'layer' | 'op' | 'level'>,
    operands: readonly Register[],
    result: Register,
  ): DebugStep => {
    const exact = lanes.exact.values(result);
    const own = { seal: worstBits(lanes.seal.values(result), exact), mock: worstBits(lanes.mock.values(result), exact) };
    const before = operands.map((register) => bits.get(register) ?? own);
    bits.set(result, own);
    const step = {
      index: steps.length,
      ...at,
      range: rangeOf(exact),
      bits: own,
      lost: {
        seal: Math.min(...before.map(({ seal }) => seal)) - own.seal,
        mock: Math.min(...before.map(({ mock }) => mock)) - own.mock,
      },
    };
    steps.push(step);
    return step;
  };
  const breathe = async (): Promise<void> => {
    throwIfAborted(signal, 'debugProgram');
    onProgress?.(steps.length, total);
    if (turns.due()) await turns.next();
  };

  for (const [i, register] of inputRegisters(program).entries()) {
    for (const lane of all) lane.load(register, inputs[i] ?? new Float64Array(slots));
    const exact = lanes.exact.values(register);
    bits.set(register, { seal: worstBits(lanes.seal.values(register), exact), mock: worstBits(lanes.mock.values(register), exact) });
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
        const range = rangeOf(lanes.exact.values(operands[0] ?? 0));
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
    const exact = elements(lanes.exact);
    return [
      layout.name,
      { seal: precisionReport(elements(lanes.seal), exact), mock: precisionReport(elements(lanes.mock), exact) },
    ] as const;
  });
  return { steps, outside, outputs: Object.fromEntries(outputs) };
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
