import { checkProgram } from '../compiler/check.js';
import { HeError } from '../errors.js';
import { createJsonReader } from '../wire/json.js';
import { checkRefreshMasks } from './check_refresh_masks.js';
import { headerJson } from './header_json.js';
import type { Constant, Program } from './program.js';
import { readProgramHeader } from './read_program.js';

const MAGIC = 'HEP1';
const PREFIX = 8;

/** 'HEP1', length of the JSON part (u32, little-endian), JSON (padded to 8 bytes), then the constants' values as float64, little-endian. */
export function serializeProgram(program: Program): Uint8Array {
  const text = headerJson(program);
  const json = new TextEncoder().encode(text + ' '.repeat((8 - (new TextEncoder().encode(text).length % 8)) % 8));
  const total = program.constants.reduce((sum, { values }) => sum + values.length, 0);
  const out = new Uint8Array(PREFIX + json.length + 8 * total);
  const view = new DataView(out.buffer);
  out.set(new TextEncoder().encode(MAGIC));
  view.setUint32(4, json.length, true);
  out.set(json, PREFIX);
  let at = PREFIX + json.length;
  for (const { values } of program.constants) {
    for (const value of values) {
      view.setFloat64(at, value, true);
      at += 8;
    }
  }
  return out;
}

/**
 * Reads what {@link serializeProgram} wrote, from anywhere: sizes, indices and parameters are checked, then levels, scales and keys by a dry run,
 * so a damaged or foreign file is refused. What the program computes is not: weights are taken as they are.
 * @throws HeError PROGRAM_INVALID, PARAMETERS_INVALID, PARAMETERS_INSECURE, PARAMETERS_MASK_SLACK.
 */
export function parseProgram(bytes: Uint8Array): Program {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < PREFIX || new TextDecoder().decode(bytes.subarray(0, 4)) !== MAGIC) throw invalid('not a program of this version');
  const jsonLength = view.getUint32(4, true);
  if (PREFIX + jsonLength > bytes.length) throw invalid('the file is truncated');
  const { program: header, constants, parameters } = readProgramHeader(json, parseJson(bytes.subarray(PREFIX, PREFIX + jsonLength)));
  const expected = constants.reduce((sum, { length }) => sum + 8 * length, PREFIX + jsonLength);
  if (expected !== bytes.length) throw invalid(expected > bytes.length ? 'the file is truncated' : 'there are bytes after the end');
  let at = PREFIX + jsonLength;
  const program: Program = {
    ...header,
    constants: constants.map(({ length, shift, level, scale }): Constant => {
      const values = Float64Array.from({ length }, (_, i) => view.getFloat64(at + 8 * i, true));
      at += 8 * length;
      if (!values.every(Number.isFinite)) throw invalid('a constant has a value that is not finite');
      return { values, shift, level, scale };
    }),
  };
  checkRefreshMasks(program, parameters);
  try {
    checkProgram(program);
  } catch (cause) {
    throw invalid('its instructions break the rules of levels, scales or registers', cause);
  }
  return program;
}

const json = createJsonReader((what) => invalid(what));

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw invalid('the header is not JSON');
  }
}

function invalid(message: string, cause?: unknown): HeError {
  return new HeError('PROGRAM_INVALID', message, { op: 'parseProgram', hint: 'Compile the model again with this version.', cause });
}
