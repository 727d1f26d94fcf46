import type { Engine } from '../engines/engine.js';
import type { ConstantId, Instruction, Register } from '../program/program.js';
import type { RegisterFile } from './register_file.js';

/** One instruction on an engine: its result goes to the register it names. */
export function interpret<C, P>(
  instruction: Instruction,
  engine: Engine<C, P>,
  registers: RegisterFile<C>,
  constant: (id: ConstantId) => P,
): void {
  if ('acc' in instruction) change(instruction, engine, registers, constant);
  else registers.set(instruction.out, compute(instruction, engine, registers, constant));
}

function compute<C, P>(
  instruction: Extract<Instruction, { out: Register }>,
  engine: Engine<C, P>,
  registers: RegisterFile<C>,
  constant: (id: ConstantId) => P,
): C {
  const a = registers.get(instruction.a);
  switch (instruction.op) {
    case 'rotate':
      return engine.rotate(a, instruction.steps);
    case 'modSwitch':
      return engine.modSwitchTo(a, instruction.toLevel);
    case 'multiplyPlain':
      return engine.multiplyPlain(a, constant(instruction.constant));
    case 'multiply':
      return engine.multiply(a, registers.get(instruction.b));
    case 'square':
      return engine.square(a);
    case 'add':
      return engine.add(a, registers.get(instruction.b));
    case 'sub':
      return engine.sub(a, registers.get(instruction.b));
    case 'negate':
      return engine.negate(a);
    case 'addPlain':
      return engine.addPlain(a, constant(instruction.constant));
  }
}

function change<C, P>(
  instruction: Extract<Instruction, { acc: Register }>,
  engine: Engine<C, P>,
  registers: RegisterFile<C>,
  constant: (id: ConstantId) => P,
): void {
  const acc = registers.mutable(instruction.acc);
  switch (instruction.op) {
    case 'accumulatePlain':
      engine.accumulateProductPlain(acc, registers.get(instruction.a), constant(instruction.constant));
      break;
    case 'accumulateProduct':
      engine.accumulateProduct(acc, registers.get(instruction.a), registers.get(instruction.b));
      break;
    case 'relinearize':
      engine.relinearizeInPlace(acc);
      break;
    case 'rescale':
      engine.rescaleInPlace(acc, instruction.scale);
      break;
    case 'accumulate':
      engine.addInPlace(acc, registers.get(instruction.a));
      break;
  }
}
