import { HeError } from '../errors.js';
import { createParameters } from '../parameters/parameters.js';
import { checkRefreshMasks } from './check_refresh_masks.js';
import type { Constant, Program } from './program.js';

const MAGIC = 'HEP1';
const PREFIX = 8;

/** 'HEP1', length of the JSON part (u32, little-endian), JSON (padded to 8 bytes), then the constants' values as float64, little-endian. */
export function serializeProgram(program: Program): Uint8Array {
  const header = {
    ...program,
    parameters: { ...program.parameters, coeffModulus: program.parameters.coeffModulus.map(String) },
    constants: program.constants.map(({ values, shift, level, scale }) => ({ length: values.length, shift, level, scale })),
  };
  const text = JSON.stringify(header);
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
 * Reads what {@link serializeProgram} wrote. A program is the server's own artifact, trusted like its code; sizes and parameters are checked so that
 * a damaged or foreign file is refused.
 * @throws HeError PROGRAM_INVALID, PARAMETERS_INVALID, PARAMETERS_INSECURE, PARAMETERS_MASK_SLACK.
 */
export function parseProgram(bytes: Uint8Array): Program {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length < PREFIX || new TextDecoder().decode(bytes.subarray(0, 4)) !== MAGIC) throw invalid('not a program of this version');
  const jsonLength = view.getUint32(4, true);
  if (PREFIX + jsonLength > bytes.length) throw invalid('the file is truncated');
  const header = parseHeader(new TextDecoder().decode(bytes.subarray(PREFIX, PREFIX + jsonLength)));
  let at = PREFIX + jsonLength;
  const constants: Constant[] = header.constants.map(({ length, shift, level, scale }) => {
    if (!Number.isInteger(length) || length < 1 || !Number.isInteger(shift) || shift < 0 || at + 8 * length > bytes.length)
      throw invalid('the file is truncated');
    const values = Float64Array.from({ length }, (_, i) => view.getFloat64(at + 8 * i, true));
    at += 8 * length;
    return { values, shift, level, scale };
  });
  if (at !== bytes.length) throw invalid('there are bytes after the end');
  const program: Program = {
    ...header,
    parameters: { ...header.parameters, coeffModulus: header.parameters.coeffModulus.map(BigInt) },
    constants,
  };
  checkRefreshMasks(program, createParameters(program.parameters));
  return program;
}

type Header = Omit<Program, 'constants' | 'parameters'> & {
  readonly parameters: Omit<Program['parameters'], 'coeffModulus'> & { readonly coeffModulus: readonly string[] };
  readonly constants: readonly { readonly length: number; readonly shift: number; readonly level: number; readonly scale: number }[];
};

function parseHeader(text: string): Header {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    throw invalid('the header is not JSON');
  }
  if (!isHeader(header)) throw invalid('the header is incomplete');
  return header;
}

function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false;
  const header = value as Partial<Record<keyof Header, unknown>>;
  const lists = [header.layers, header.inputs, header.outputs, header.constants, header.segments, header.galoisSteps];
  return (
    header.format === 'he-program' &&
    header.version === 1 &&
    typeof header.parameters === 'object' &&
    header.parameters !== null &&
    'coeffModulus' in header.parameters &&
    Array.isArray(header.parameters.coeffModulus) &&
    lists.every(Array.isArray) &&
    typeof header.registers === 'number'
  );
}

function invalid(message: string): HeError {
  return new HeError('PROGRAM_INVALID', message, { op: 'parseProgram', hint: 'Compile the model again with this version.' });
}
