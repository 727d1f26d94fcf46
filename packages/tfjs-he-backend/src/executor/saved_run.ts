import type { Engine } from '../engines/engine.js';
import { outputRegisters, type Program, type Register, readsOf, writeOf } from '../program/program.js';
import { RegisterFile } from './register_file.js';
import { type Origin, savedReader, writeSaved } from './saved_file.js';

/** A border of a run: before the instructions of a segment, or after them and before its refreshes. */
export interface Position {
  readonly segment: number;
  readonly evaluated: boolean;
}

/** What a run has done so far, but for its ciphertexts. */
export interface RunRecord {
  readonly position: Position;
  readonly refreshes: number;
  readonly totalMs: number;
  readonly refreshMs: number;
}

/** A run that has its inputs and has computed nothing. */
export const BEGINNING: RunRecord = { position: { segment: 0, evaluated: false }, refreshes: 0, totalMs: 0, refreshMs: 0 };

const MAGIC = 'HER1';
const reader = savedReader(MAGIC, 'run', 'Start another run from the inputs.');

/** Registers that what follows a border reads before it writes them, ascending. */
function registersAt(program: Program, { segment, evaluated }: Position): Register[] {
  const written = new Set<Register>();
  const required = new Set<Register>();
  const read = (register: Register): void => {
    if (!written.has(register)) required.add(register);
  };
  for (const [i, { instructions, refreshes }] of program.segments.entries()) {
    if (i < segment) continue;
    for (const instruction of i === segment && evaluated ? [] : instructions) {
      for (const register of readsOf(instruction)) read(register);
      written.add(writeOf(instruction));
    }
    for (const { from } of refreshes) read(from);
    for (const { to } of refreshes) written.add(to);
  }
  for (const register of outputRegisters(program)) read(register);
  return [...required].sort((a, b) => a - b);
}

/** 'HER1' ({@link writeSaved}): the JSON says the border, the times, and of every register its level and bytes; the parts are the registers, as frames. */
export function encodeRun<C>(
  origin: Origin,
  engine: Engine<C, unknown>,
  registers: RegisterFile<C>,
  { position, refreshes, totalMs, refreshMs }: RunRecord,
): Uint8Array {
  const frames = registersAt(origin.program, position).map((register) => {
    const ciphertext = registers.get(register);
    return { register, level: engine.info(ciphertext).level, frame: engine.save(ciphertext) };
  });
  const entries = frames.map(({ register, level, frame }) => ({ register, level, bytes: frame.length }));
  const header = { ...position, refreshes, totalMs, refreshMs, registers: entries };
  return writeSaved(
    MAGIC,
    origin,
    header,
    frames.map(({ frame }) => frame),
  );
}

/**
 * Reads what {@link encodeRun} wrote, from anywhere: the border must be one of the program, the ciphertexts those that it needs, each checked as every frame.
 * @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH (another program, or other keys), WIRE_* of the frames.
 */
export function decodeRun<C>(
  origin: Origin,
  engine: Engine<C, unknown>,
  bytes: Uint8Array,
): { readonly record: RunRecord; readonly registers: RegisterFile<C> } {
  const { program } = origin;
  const { json } = reader;
  const { header, body } = reader.open(bytes, origin);
  if (typeof header.evaluated !== 'boolean') return json.fail('evaluated is not a boolean');
  const position = { segment: json.integer(header.segment, 'segment', 0, program.segments.length - 1), evaluated: header.evaluated };
  const record: RunRecord = {
    position,
    refreshes: json.integer(header.refreshes, 'refreshes', 0, Number.MAX_SAFE_INTEGER),
    totalMs: duration(header.totalMs),
    refreshMs: duration(header.refreshMs),
  };
  const expected = registersAt(program, position);
  const entries = json.list(header.registers, 'registers', program.registers).map((value, i) => {
    const { register, level, bytes: size } = json.record(value, 'a register');
    if (register !== expected[i]) json.fail('the registers are not those that the program needs');
    return {
      register: expected[i] ?? 0,
      level: json.integer(level, 'a level', 0, engine.parameters.maxLevel),
      size: json.integer(size, 'the bytes of a register', 0, body.length),
    };
  });
  if (entries.length !== expected.length) json.fail('the registers are not those that the program needs');
  const frames = reader.cut(
    body,
    entries.map(({ size }) => size),
  );
  const registers = new RegisterFile(engine);
  try {
    for (const [i, { register, level }] of entries.entries()) registers.set(register, engine.load(frames[i] ?? new Uint8Array(0), level));
    return { record, registers };
  } catch (error) {
    registers.releaseAll();
    throw error;
  }
}

function duration(value: unknown): number {
  const valid = typeof value === 'number' && Number.isFinite(value) && value >= 0;
  return valid ? value : reader.json.fail('a time is not a number of milliseconds');
}
