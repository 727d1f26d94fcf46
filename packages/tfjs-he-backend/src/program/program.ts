import type { LayoutCounts } from '../compiler/layout_family.js';
import type { ParametersLiteral } from '../parameters/parameters.js';
import type { TensorLayout } from '../wire/layout.js';

/** Index of a ciphertext in the register file; single assignment, except for the in-place instructions on a register just made. */
export type Register = number;
/** Index into Program.constants. */
export type ConstantId = number;

/** One engine call. `layer` indexes Program.layers; `level` is the level at which the operation runs. */
export type Instruction = { readonly layer: number; readonly level: number } & (
  | { readonly op: 'rotate'; readonly out: Register; readonly a: Register; readonly steps: number }
  | { readonly op: 'modSwitch'; readonly out: Register; readonly a: Register; readonly toLevel: number }
  | { readonly op: 'multiplyPlain'; readonly out: Register; readonly a: Register; readonly constant: ConstantId }
  | { readonly op: 'accumulatePlain'; readonly acc: Register; readonly a: Register; readonly constant: ConstantId }
  | { readonly op: 'multiply'; readonly out: Register; readonly a: Register; readonly b: Register }
  | { readonly op: 'square'; readonly out: Register; readonly a: Register }
  | { readonly op: 'accumulateProduct'; readonly acc: Register; readonly a: Register; readonly b: Register }
  | { readonly op: 'relinearize'; readonly acc: Register }
  | { readonly op: 'rescale'; readonly acc: Register; readonly scale: number }
  | { readonly op: 'add'; readonly out: Register; readonly a: Register; readonly b: Register }
  | { readonly op: 'sub'; readonly out: Register; readonly a: Register; readonly b: Register }
  | { readonly op: 'negate'; readonly out: Register; readonly a: Register }
  | { readonly op: 'accumulate'; readonly acc: Register; readonly a: Register }
  | { readonly op: 'addPlain'; readonly out: Register; readonly a: Register; readonly constant: ConstantId }
);

/** A plaintext operand: slot s holds values[(s - shift) mod period], with values one period long, at the level and scale it is encoded at. */
export interface Constant {
  readonly values: Float64Array;
  readonly shift: number;
  readonly level: number;
  readonly scale: number;
}

/** A refresh: `from` (at the refresh level) goes to the client; what comes back is `to` (at the top level). */
export interface Refresh {
  readonly from: Register;
  readonly to: Register;
}

/** A pure function of evaluation keys and ciphertexts, ended by one round of refreshes (none after the last segment). */
export interface Segment {
  readonly instructions: readonly Instruction[];
  readonly refreshes: readonly Refresh[];
}

/** An output that stays at the server, at the top level: it is the input of the same layout in the next run. Indices of either. */
export interface ProgramState {
  readonly input: number;
  readonly output: number;
}

/** An input or output: one register per ciphertext of its layout, in their order. */
export interface ProgramTensor {
  readonly registers: readonly Register[];
  readonly layout: TensorLayout;
}

/** A compiled program: serialisable, versioned, independent of the engine. */
export interface Program {
  readonly format: 'he-program';
  readonly version: 2;
  readonly parameters: ParametersLiteral;
  readonly layers: readonly string[];
  readonly inputs: readonly ProgramTensor[];
  readonly outputs: readonly ProgramTensor[];
  /** What a run leaves for the next one. Default: nothing. */
  readonly state?: readonly ProgramState[];
  /** Tensors by layout, as the compiler chose them: for profiles. */
  readonly layouts?: LayoutCounts;
  readonly constants: readonly Constant[];
  readonly segments: readonly Segment[];
  readonly registers: number;
  readonly galoisSteps: readonly number[];
}

/** Inputs that the client sends with every run. */
export function sentInputs({ inputs, state = [] }: Program): readonly ProgramTensor[] {
  return inputs.filter((_, i) => !state.some(({ input }) => input === i));
}

/** Outputs that every run sends to the client. */
export function sentOutputs({ outputs, state = [] }: Program): readonly ProgramTensor[] {
  return outputs.filter((_, i) => !state.some(({ output }) => output === i));
}

/** Registers of what a run takes over from the one before, in the order of `state`. */
export function stateRegisters({ inputs, state = [] }: Program): Register[] {
  return state.flatMap(({ input }) => inputs[input]?.registers ?? []);
}

/** Registers of the ciphertexts a run begins with, in the order of the inputs. */
export function inputRegisters({ inputs }: Pick<Program, 'inputs'>): Register[] {
  return inputs.flatMap(({ registers }) => registers);
}

/** Registers of the ciphertexts a run ends with, in the order of the outputs. */
export function outputRegisters({ outputs }: Pick<Program, 'outputs'>): Register[] {
  return outputs.flatMap(({ registers }) => registers);
}

/** Registers an instruction reads; in-place ones read what they change. */
export function readsOf(instruction: Instruction): readonly Register[] {
  switch (instruction.op) {
    case 'accumulatePlain':
    case 'accumulate':
      return [instruction.acc, instruction.a];
    case 'accumulateProduct':
      return [instruction.acc, instruction.a, instruction.b];
    case 'relinearize':
    case 'rescale':
      return [instruction.acc];
    case 'multiply':
    case 'add':
    case 'sub':
      return [instruction.a, instruction.b];
    default:
      return [instruction.a];
  }
}

/** The register an instruction writes. */
export function writeOf(instruction: Instruction): Register {
  return 'out' in instruction ? instruction.out : instruction.acc;
}
