import { LAYOUT_COUNTS, type LayoutCounts } from '../compiler/layout_family.js';
import { createParameters, type Parameters, type ParametersLiteral } from '../parameters/parameters.js';
import type { JsonReader } from '../wire/json.js';
import type { TensorLayout } from '../wire/layout.js';
import { MAX_TENSORS, readLayout } from '../wire/read_layout.js';
import type { Instruction, Program, ProgramTensor, Segment } from './program.js';

/** What the JSON part of a program file says of a constant; its values follow the JSON. */
export interface ConstantHeader {
  readonly length: number;
  readonly shift: number;
  readonly level: number;
  readonly scale: number;
}

export interface ProgramHeader {
  readonly program: Omit<Program, 'constants'>;
  readonly constants: readonly ConstantHeader[];
  readonly parameters: Parameters;
}

type Field = 'register' | 'constant' | 'step' | 'level' | 'scale';

/** Operands of every instruction. */
const FIELDS: Readonly<Record<Instruction['op'], Readonly<Record<string, Field>>>> = {
  rotate: { out: 'register', a: 'register', steps: 'step' },
  modSwitch: { out: 'register', a: 'register', toLevel: 'level' },
  multiplyPlain: { out: 'register', a: 'register', constant: 'constant' },
  accumulatePlain: { acc: 'register', a: 'register', constant: 'constant' },
  multiply: { out: 'register', a: 'register', b: 'register' },
  square: { out: 'register', a: 'register' },
  accumulateProduct: { acc: 'register', a: 'register', b: 'register' },
  relinearize: { acc: 'register' },
  rescale: { acc: 'register', scale: 'scale' },
  add: { out: 'register', a: 'register', b: 'register' },
  sub: { out: 'register', a: 'register', b: 'register' },
  negate: { out: 'register', a: 'register' },
  accumulate: { acc: 'register', a: 'register' },
  addPlain: { out: 'register', a: 'register', constant: 'constant' },
};

const MAX_REGISTERS = 1 << 24;

/**
 * The JSON part of a program file: every index within what it points into. What the instructions do with levels and scales is for checkProgram.
 * @throws what `json` makes of a misfit, PARAMETERS_INVALID, PARAMETERS_INSECURE.
 */
export function readProgramHeader(json: JsonReader, value: unknown): ProgramHeader {
  const raw = json.record(value, 'the header');
  if (raw.format !== 'he-program') json.fail('not an he-program');
  if (raw.version !== 1 && raw.version !== 2) json.fail('not a program of version 1 or 2');
  const literal = readParameters(json, raw.parameters);
  const parameters = createParameters(literal);
  const { slots, maxLevel } = parameters;
  const registers = json.integer(raw.registers, 'registers', 0, MAX_REGISTERS);
  const register = (v: unknown): number => json.integer(v, 'a register', 0, registers - 1);
  const layers = json.list(raw.layers, 'layers').map((name) => json.text(name, 'a layer name'));
  const galoisSteps = json.list(raw.galoisSteps, 'galoisSteps', slots).map((step) => json.integer(step, 'a rotation step', 1, slots - 1));
  if (galoisSteps.some((step, i) => i > 0 && step <= (galoisSteps[i - 1] ?? 0))) json.fail('galoisSteps are not ascending and distinct');
  const steps = new Set(galoisSteps);
  const constants = json.list(raw.constants, 'constants').map((entry): ConstantHeader => {
    const constant = json.record(entry, 'a constant');
    const length = json.integer(constant.length, 'length of a constant', 1, slots);
    if (slots % length !== 0) json.fail('the length of a constant does not divide the slot count');
    return {
      length,
      shift: json.integer(constant.shift, 'shift of a constant', 0, slots - 1),
      level: json.integer(constant.level, 'level of a constant', 0, maxLevel),
      scale: json.positive(constant.scale, 'scale of a constant'),
    };
  });
  const read: Readonly<Record<Field, (v: unknown) => number>> = {
    register,
    constant: (v) => json.integer(v, 'a constant', 0, constants.length - 1),
    step: (v) => {
      const step = json.integer(v, 'a rotation step', 1, slots - 1);
      return steps.has(step) ? step : json.fail('a rotation has no key');
    },
    level: (v) => json.integer(v, 'a level', 0, maxLevel),
    scale: (v) => json.positive(v, 'a scale'),
  };
  const instruction = (v: unknown): Instruction => {
    const { op, layer, level, ...fields } = json.record(v, 'an instruction');
    if (typeof op !== 'string' || !isOperation(op)) return json.fail('an instruction has an unknown name');
    const operands = Object.entries(FIELDS[op]).map(([name, field]) => [name, read[field](fields[name])]);
    const place = { layer: json.integer(layer, 'a layer', 0, layers.length - 1), level: read.level(level) };
    return { op, ...place, ...Object.fromEntries(operands) } as Instruction; // FIELDS says which fields `op` has
  };
  const segments = json.list(raw.segments, 'segments', 1024).map((entry): Segment => {
    const segment = json.record(entry, 'a segment');
    return {
      instructions: json.list(segment.instructions, 'instructions').map(instruction),
      refreshes: json.list(segment.refreshes, 'refreshes', 1024).map((r) => {
        const { from, to } = json.record(r, 'a refresh');
        return { from: register(from), to: register(to) };
      }),
    };
  });
  if (segments.length === 0) json.fail('there are no segments');
  const tensors = (v: unknown, what: string): ProgramTensor[] =>
    json.list(v, what, MAX_TENSORS).map((entry) => {
      const tensor = json.record(entry, `one of the ${what}`);
      const layout = readLayout(json, tensor.layout, slots);
      // Version 1 had one ciphertext per tensor.
      const list = raw.version === 1 ? [tensor.register] : tensor.registers;
      const registers = json.list(list, `registers of ${layout.name}`, layout.ciphertexts).map(register);
      if (registers.length !== layout.ciphertexts) json.fail(`${layout.name} has not one register per ciphertext`);
      return { registers, layout };
    });
  const [inputs, outputs] = [tensors(raw.inputs, 'inputs'), tensors(raw.outputs, 'outputs')];
  const state = json.list(raw.state ?? [], 'state', inputs.length).map((entry) => {
    const pair = json.record(entry, 'a state');
    const input = json.integer(pair.input, 'input of a state', 0, inputs.length - 1);
    const output = json.integer(pair.output, 'output of a state', 0, outputs.length - 1);
    if (!sameLayout(inputs[input]?.layout, outputs[output]?.layout)) json.fail('a state has two layouts');
    return { input, output };
  });
  for (const end of ['input', 'output'] as const) {
    if (new Set(state.map((pair) => pair[end])).size !== state.length) json.fail(`two states share an ${end}`);
  }
  return {
    program: {
      format: 'he-program',
      version: 2,
      parameters: literal,
      layers,
      inputs,
      outputs,
      ...(state.length === 0 ? {} : { state }),
      ...(raw.layouts === undefined ? {} : { layouts: readLayoutCounts(json, raw.layouts) }),
      segments,
      registers,
      galoisSteps,
    },
    constants,
    parameters,
  };
}

function readLayoutCounts(json: JsonReader, value: unknown): LayoutCounts {
  const raw = json.record(value, 'layouts');
  return Object.fromEntries(
    LAYOUT_COUNTS.flatMap((name) =>
      raw[name] === undefined ? [] : [[name, json.integer(raw[name], `layouts ${name}`, 0, MAX_REGISTERS)]],
    ),
  );
}

/** But for the name. */
function sameLayout(a: TensorLayout | undefined, b: TensorLayout | undefined): boolean {
  return JSON.stringify({ ...a, name: '' }) === JSON.stringify({ ...b, name: '' });
}

function isOperation(op: string): op is Instruction['op'] {
  return Object.hasOwn(FIELDS, op);
}

function readParameters(json: JsonReader, value: unknown): ParametersLiteral {
  const raw = json.record(value, 'parameters');
  const { securityBits, valueBits } = raw;
  if (securityBits !== 0 && securityBits !== 128 && securityBits !== 192 && securityBits !== 256) {
    return json.fail('securityBits is not 0, 128, 192 or 256');
  }
  if (valueBits !== undefined && typeof valueBits !== 'number') return json.fail('valueBits is not a number');
  return {
    polyModulusDegree: json.integer(raw.polyModulusDegree, 'polyModulusDegree', 1024, 32768),
    coeffModulus: json.list(raw.coeffModulus, 'coeffModulus', 64).map((prime) => json.decimal(prime, 'a prime')),
    securityBits,
    refreshLevel: json.integer(raw.refreshLevel, 'refreshLevel', 0, 64),
    ...(valueBits === undefined ? {} : { valueBits }),
  };
}
