import { checkSlotVectors } from '../client/common.js';
import { HeError } from '../errors.js';
import { manifestOf } from '../program/manifest_of.js';
import type { Program } from '../program/program.js';
import { pack } from '../wire/layout.js';
import { type ParsedManifest, parseManifest } from '../wire/manifest.js';

/** A program that can be followed, and its inputs in slots. */
export interface DebugInputs {
  readonly parsed: ParsedManifest;
  readonly packed: readonly Float64Array[];
}

/**
 * @param op the function that was called, for errors
 * @param inputs values of the manifest's inputs, row-major, in order
 * @throws HeError ENCODE_INVALID (number, shape or values of inputs), PARAMETERS_INVALID (a program with state).
 */
export function debugInputs(op: string, program: Program, inputs: readonly ArrayLike<number>[]): DebugInputs {
  if (program.state !== undefined) {
    throw new HeError('PARAMETERS_INVALID', 'the program goes on from run to run, which is not followed here', {
      op,
      hint: 'Compile it without state: what it keeps is then an input and an output like others.',
    });
  }
  if (inputs.length !== program.inputs.length) {
    throw new HeError('ENCODE_INVALID', `${inputs.length} inputs where the program has ${program.inputs.length}`, {
      op,
      hint: 'Give the values of every input of the manifest, in order.',
    });
  }
  const parsed = parseManifest(manifestOf(program), { minimumSecurityBits: 0 });
  const { slots } = parsed.parameters;
  const packed = program.inputs.flatMap(({ layout }, i) => pack(inputs[i] ?? [], layout, slots));
  checkSlotVectors(packed, parsed.parameters);
  return { parsed, packed };
}
