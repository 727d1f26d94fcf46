import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import { lastUses } from '../program/liveness.js';
import type { ConstantId, Instruction, Program, Segment } from '../program/program.js';
import { createTurns, throwIfAborted, unlessAborted } from '../turns.js';
import { interpret, RegisterFile } from './interpret.js';
import type { LayerTime, ProgressEvent, RunOptions, RunResult } from './types.js';

export interface RunContext<C, P> {
  readonly program: Program;
  readonly engine: Engine<C, P>;
  readonly constant: (id: ConstantId) => P;
  readonly maskKey: Uint8Array;
  /** Unique for every run under one mask key: masks must never repeat. */
  readonly runId: string;
}

/**
 * Runs a program: segment by segment, a round of refreshes between two. Registers are released at their last use, all of them on failure.
 * @throws HeError ABORTED, WIRE_*, and those of the engine.
 */
export async function runProgram<C, P>(context: RunContext<C, P>, inputs: readonly Uint8Array[], options: RunOptions): Promise<RunResult> {
  const { program, engine } = context;
  if (inputs.length !== program.inputs.length) {
    throw new HeError('WIRE_MALFORMED', `${inputs.length} input ciphertexts where ${program.inputs.length} are expected`, {
      op: 'run',
      hint: 'Send one ciphertext per input of the manifest, in order.',
    });
  }
  const registers = new RegisterFile(engine);
  const clock = new LayerClock(program, options.onProgress);
  const dying = lastUses(program);
  let refreshMs = 0;
  let refreshes = 0;
  const start = performance.now();
  try {
    for (const [i, { register }] of program.inputs.entries()) registers.set(register, engine.load(inputs[i] ?? new Uint8Array(0)));
    for (const [index, segment] of program.segments.entries()) {
      await runSegment(context, segment, registers, dying[index] ?? [], clock, options.signal);
      if (segment.refreshes.length === 0) continue;
      clock.refresh(index, segment.refreshes.length);
      const before = performance.now();
      await refreshRound(context, segment, index, registers, options);
      refreshMs += performance.now() - before;
      refreshes += segment.refreshes.length;
    }
    const outputs = program.outputs.map(({ register }) => engine.save(registers.get(register)));
    return { outputs, layers: clock.times(), evaluateMs: performance.now() - start - refreshMs, refreshMs, refreshes };
  } finally {
    registers.releaseAll();
  }
}

async function runSegment<C, P>(
  { engine, constant }: RunContext<C, P>,
  segment: Segment,
  registers: RegisterFile<C>,
  dying: readonly (readonly number[])[],
  clock: LayerClock,
  signal: AbortSignal | undefined,
): Promise<void> {
  const turns = createTurns();
  for (const [position, instruction] of segment.instructions.entries()) {
    throwIfAborted(signal, 'run');
    clock.begin(instruction);
    interpret(instruction, engine, registers, constant);
    for (const register of dying[position] ?? []) registers.release(register);
    clock.end();
    if (turns.due()) await turns.next();
  }
}

async function refreshRound<C, P>(
  { program, engine, maskKey, runId }: RunContext<C, P>,
  { refreshes }: Segment,
  segment: number,
  registers: RegisterFile<C>,
  options: RunOptions,
): Promise<void> {
  const seedOf = (index: number) => ({ serverKey: maskKey, session: runId, segment, index });
  const masked = refreshes.map(({ from }, index) => {
    const ciphertext = engine.mask(registers.get(from), seedOf(index));
    try {
      return engine.save(ciphertext);
    } finally {
      engine.dispose(ciphertext);
    }
  });
  const answers = await unlessAborted(options.refresh(masked, { segment, segments: program.segments.length }), options.signal, 'refresh');
  if (answers.length !== refreshes.length) {
    throw new HeError('WIRE_MALFORMED', `${answers.length} refreshed ciphertexts where ${refreshes.length} are expected`, {
      op: 'refresh',
      hint: 'Answer a round with as many ciphertexts as it has, in order.',
    });
  }
  for (const [index, { from, to }] of refreshes.entries()) {
    const fresh = engine.load(answers[index] ?? new Uint8Array(0));
    try {
      registers.set(to, engine.unmask(fresh, seedOf(index)));
    } finally {
      engine.dispose(fresh);
    }
    if (!usedLater(program, segment, from)) registers.release(from);
  }
}

function usedLater(program: Program, segment: number, register: number): boolean {
  if (program.outputs.some((output) => output.register === register)) return true;
  return program.segments.slice(segment + 1).some((later) => later.instructions.some((instruction) => reads(instruction, register)));
}

function reads(instruction: Instruction, register: number): boolean {
  return ('a' in instruction && instruction.a === register) || ('b' in instruction && instruction.b === register);
}

/** Time per layer, and progress events when the layer changes. */
class LayerClock {
  private readonly layers: { ms: number; from: number; to: number }[];
  private readonly total: number;
  private done = 0;
  private current = -1;
  private segment = 0;
  private startedAt = 0;

  constructor(
    private readonly program: Program,
    private readonly onProgress: ((event: ProgressEvent) => void) | undefined,
  ) {
    this.layers = program.layers.map(() => ({ ms: 0, from: -1, to: Number.POSITIVE_INFINITY }));
    this.total = program.segments.reduce((sum, segment) => sum + segment.instructions.length, 0);
  }

  begin({ layer, level }: Instruction): void {
    this.startedAt = performance.now();
    const entry = this.layers[layer];
    if (entry !== undefined) {
      entry.from = Math.max(entry.from, level);
      entry.to = Math.min(entry.to, level);
    }
    if (layer !== this.current) {
      this.current = layer;
      const { segment, done, total } = this;
      this.onProgress?.({
        type: 'layer',
        name: this.program.layers[layer] ?? '',
        level,
        segment,
        segments: this.program.segments.length,
        done,
        total,
      });
    }
  }

  end(): void {
    const entry = this.layers[this.current];
    if (entry !== undefined) entry.ms += performance.now() - this.startedAt;
    this.done++;
  }

  refresh(segment: number, ciphertexts: number): void {
    this.segment = segment + 1;
    this.current = -1;
    this.onProgress?.({ type: 'refresh', segment, segments: this.program.segments.length, ciphertexts });
  }

  times(): LayerTime[] {
    return this.layers.map(({ ms, from, to }, i) => ({
      name: this.program.layers[i] ?? '',
      ms,
      fromLevel: from,
      toLevel: Number.isFinite(to) ? to : from,
    }));
  }
}
