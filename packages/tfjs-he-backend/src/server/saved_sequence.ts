import { allOrNone } from '../all_or_none.js';
import type { Engine } from '../engines/engine.js';
import { type Origin, savedReader, writeSaved } from '../executor/saved_file.js';
import { stateRegisters } from '../program/program.js';

/** A sequence between two runs, or with one that has begun. */
export interface SavedSequence<C> {
  /** Runs that have ended. */
  readonly length: number;
  /** What the last of them has left, at the top level, in the order of the program's `state`. */
  readonly state: readonly C[];
  /** What `save` of the run after them gave. */
  readonly run: Uint8Array | undefined;
}

const MAGIC = 'HES1';
const MOST_RUNS = Number.MAX_SAFE_INTEGER - 1;
const reader = savedReader(MAGIC, 'sequence', 'Begin another one with session.sequence().');

/** 'HES1' ({@link writeSaved}): the JSON says how many runs have ended and the bytes of every part; the parts are the state, as frames, and the run, if there is one. */
export function encodeSequence<C>(origin: Origin, engine: Engine<C, unknown>, { length, state, run }: SavedSequence<C>): Uint8Array {
  const frames = state.map((ciphertext) => engine.save(ciphertext));
  const header = { length, state: frames.map((frame) => frame.length), run: run === undefined ? null : run.length };
  return writeSaved(MAGIC, origin, header, run === undefined ? frames : [...frames, run]);
}

/**
 * Reads what {@link encodeSequence} wrote, from anywhere. The run is for `createRun` to read.
 * @throws HeError WIRE_TRUNCATED, WIRE_MALFORMED, WIRE_PARAMETERS_MISMATCH (another program, or other keys), WIRE_* of the frames.
 */
export function decodeSequence<C>(origin: Origin, engine: Engine<C, unknown>, bytes: Uint8Array): SavedSequence<C> {
  const { json } = reader;
  const { header, body } = reader.open(bytes, origin);
  const count = stateRegisters(origin.program).length;
  const length = json.integer(header.length, 'length', 0, MOST_RUNS);
  const size = (value: unknown): number => json.integer(value, 'the bytes of a part', 0, body.length);
  const sizes = json.list(header.state, 'state', count).map(size);
  if (sizes.length !== count) json.fail(`its state is ${sizes.length} ciphertexts, that of the program ${count}`);
  const parts = reader.cut(body, header.run === null ? sizes : [...sizes, size(header.run)]);
  return { length, state: loadAll(engine, parts.slice(0, count)), run: parts[count] };
}

/** Fresh ciphertexts, or saved ones of the top level; all or none. @throws HeError WIRE_*. */
export function loadAll<C>(engine: Engine<C, unknown>, frames: readonly Uint8Array[]): C[] {
  return allOrNone(
    frames.length,
    (i) => engine.load(frames[i] ?? new Uint8Array(0)),
    (ciphertext) => engine.dispose(ciphertext),
  );
}
