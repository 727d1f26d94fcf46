import type { Engine } from '../engines/engine.js';
import type { ConstantId, Register, Segment } from '../program/program.js';
import { nextMacrotask, throwIfAborted } from '../turns.js';
import { interpret } from './interpret.js';
import type { LayerClock } from './layer_clock.js';
import type { RegisterFile } from './register_file.js';
import { rotationGroups } from './rotation_groups.js';
import type { RunOptions } from './types.js';

/** What the instructions of a program work on. */
export interface SegmentContext<C, P> {
  readonly engine: Engine<C, P>;
  /** The encoded constant: the caller's to release. */
  readonly constant: (id: ConstantId) => P;
}

/**
 * Interprets the instructions of a segment, one after the other; an engine that shares work between rotations gets those of one register at once.
 * @param registers hold what the segment starts from, and then what is alive after it
 * @param dying registers to release after each instruction
 * @throws HeError ABORTED, and those of the engine; `registers` are then somewhere in between.
 */
export async function evaluateSegment<C, P>(
  { engine, constant }: SegmentContext<C, P>,
  segment: Segment,
  registers: RegisterFile<C>,
  dying: readonly (readonly Register[])[],
  clock: LayerClock,
  { signal, onProgress }: RunOptions,
): Promise<void> {
  const ahead = new Set<number>();
  const groups = engine.hoists ? rotationGroups(segment.instructions) : undefined;
  for (const [position, instruction] of segment.instructions.entries()) {
    // Whatever came in during the last operation is heard before the next one.
    await nextMacrotask();
    throwIfAborted(signal, 'run');
    clock.begin(instruction, onProgress);
    const group = groups?.get(position);
    if (group !== undefined) rotateGroup(group, segment, engine, registers);
    else if (!ahead.has(position)) interpret(instruction, engine, registers, constant);
    for (const done of group ?? []) ahead.add(done);
    for (const register of dying[position] ?? []) registers.release(register);
    clock.end(instruction);
  }
}

/** The rotations at `positions`, all of one register. */
function rotateGroup<C>(
  positions: readonly number[],
  { instructions }: Segment,
  engine: Engine<C, unknown>,
  registers: RegisterFile<C>,
): void {
  const rotations = positions.flatMap((position) => {
    const instruction = instructions[position];
    return instruction?.op === 'rotate' ? [instruction] : [];
  });
  const [first] = rotations;
  if (first === undefined) return;
  const rotated = engine.rotateMany(
    registers.get(first.a),
    rotations.map(({ steps }) => steps),
  );
  rotated.forEach((c, i) => {
    const out = rotations[i]?.out;
    if (out !== undefined) registers.set(out, c);
  });
}
