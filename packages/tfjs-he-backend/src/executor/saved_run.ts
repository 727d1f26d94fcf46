import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import { programDigest } from '../program/digest.js';
import { outputRegisters, type Program, type Register, readsOf, writeOf } from '../program/program.js';
import { createJsonReader } from '../wire/json.js';
import { RegisterFile } from './register_file.js';

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

export const BEGINNING: RunRecord = { position: { segment: 0, evaluated: false }, refreshes: 0, totalMs: 0, refreshMs: 0 };

const MAGIC = 0x31524548; // 'HER1', little-endian
const PREFIX = 8;
const MAX_HEADER = 1 << 22;

/** Registers that what follows a border reads before it writes them, ascending. */
export function registersAt(program: Program, { segment, evaluated }: Position): Register[] {
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

/**
 * 'HER1', length of the JSON part (u32, little-endian), JSON, then the ciphertexts as frames, in the order of `registers` in the JSON.
 * @param keys names the evaluation keys of the session
 */
export function encodeRun<C>(
  program: Program,
  engine: Engine<C, unknown>,
  registers: RegisterFile<C>,
  { position, refreshes, totalMs, refreshMs }: RunRecord,
  keys: string,
): Uint8Array {
  const frames = registersAt(program, position).map((register) => {
    const ciphertext = registers.get(register);
    return { register, level: engine.info(ciphertext).level, frame: engine.save(ciphertext) };
  });
  const header = {
    program: programDigest(program),
    keys,
    ...position,
    refreshes,
    totalMs,
    refreshMs,
    registers: frames.map(({ register, level, frame }) => ({ register, level, bytes: frame.length })),
  };
  const json = new TextEncoder().encode(JSON.stringify(header));
  const out = new Uint8Array(frames.reduce((size, { frame }) => size + frame.length, PREFIX + json.length));
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, json.length, true);
  out.set(json, PREFIX);
  let at = PREFIX + json.length;
  for (const { frame } of frames) {
    out.set(frame, at);
    at += frame.length;
  }
  return out;
}

/**
 * Reads what {@link encodeRun} wrote, from anywhere: the border must be one of the program, the ciphertexts those that it needs, each checked as every frame.
 * @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH (another program, or other keys), WIRE_* of the frames.
 */
export function decodeRun<C>(
  program: Program,
  engine: Engine<C, unknown>,
  bytes: Uint8Array,
  keys: string,
): { readonly record: RunRecord; readonly registers: RegisterFile<C> } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < PREFIX) throw refuse('WIRE_TRUNCATED', 'there is no header');
  if (view.getUint32(0, true) !== MAGIC) throw refuse('WIRE_MALFORMED', 'not a saved run of this version');
  const length = view.getUint32(4, true);
  if (length > MAX_HEADER) throw refuse('WIRE_MALFORMED', 'the header is too large');
  if (PREFIX + length > bytes.length) throw refuse('WIRE_TRUNCATED', 'the header is cut off');
  const raw = json.record(parseJson(bytes.subarray(PREFIX, PREFIX + length)), 'the header');
  if (raw.program !== programDigest(program)) throw refuse('WIRE_PARAMETERS_MISMATCH', 'it is a run of another program');
  if (raw.keys !== keys) throw refuse('WIRE_PARAMETERS_MISMATCH', 'it is a run under other evaluation keys');
  if (typeof raw.evaluated !== 'boolean') return json.fail('evaluated is not a boolean');
  const position = { segment: json.integer(raw.segment, 'segment', 0, program.segments.length - 1), evaluated: raw.evaluated };
  const record: RunRecord = {
    position,
    refreshes: json.integer(raw.refreshes, 'refreshes', 0, Number.MAX_SAFE_INTEGER),
    totalMs: duration(raw.totalMs),
    refreshMs: duration(raw.refreshMs),
  };
  const expected = registersAt(program, position);
  const entries = json.list(raw.registers, 'registers', program.registers).map((value, i) => {
    const { register, level, bytes: size } = json.record(value, 'a register');
    if (register !== expected[i]) json.fail('the registers are not those that the program needs');
    return {
      register: expected[i] ?? 0,
      level: json.integer(level, 'a level', 0, engine.parameters.maxLevel),
      size: json.integer(size, 'the bytes of a register', 0, bytes.length),
    };
  });
  if (entries.length !== expected.length) json.fail('the registers are not those that the program needs');
  const total = entries.reduce((sum, { size }) => sum + size, PREFIX + length);
  if (total > bytes.length) throw refuse('WIRE_TRUNCATED', 'ciphertexts are cut off');
  if (total < bytes.length) throw refuse('WIRE_MALFORMED', 'bytes follow the end');
  const registers = new RegisterFile(engine);
  try {
    let at = PREFIX + length;
    for (const { register, level, size } of entries) {
      registers.set(register, engine.load(bytes.subarray(at, at + size), level));
      at += size;
    }
    return { record, registers };
  } catch (error) {
    registers.releaseAll();
    throw error;
  }
}

const json = createJsonReader((what) => refuse('WIRE_MALFORMED', what));

function duration(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : json.fail('a time is not a number of milliseconds');
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return json.fail('the header is not JSON');
  }
}

function refuse(code: 'WIRE_TRUNCATED' | 'WIRE_MALFORMED' | 'WIRE_PARAMETERS_MISMATCH', what: string): HeError {
  return new HeError(code, `the saved run cannot be restored: ${what}`, { op: 'restore', hint: 'Start another run from the inputs.' });
}
