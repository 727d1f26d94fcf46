import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import type { ConstantId, Instruction, Register } from '../program/program.js';

/** The ciphertexts alive in a run. */
export class RegisterFile<C> {
  private readonly live = new Map<Register, C>();

  constructor(private readonly engine: Engine<C, unknown>) {}

  get(register: Register): C {
    const ciphertext = this.live.get(register);
    if (ciphertext === undefined) {
      throw new HeError('PROGRAM_INVALID', `register ${register} is empty`, {
        hint: 'Compile the program again; if that does not help, this is a bug.',
      });
    }
    return ciphertext;
  }

  set(register: Register, ciphertext: C): void {
    this.live.set(register, ciphertext);
  }

  release(register: Register): void {
    const ciphertext = this.live.get(register);
    if (ciphertext === undefined) return;
    this.live.delete(register);
    this.engine.dispose(ciphertext);
  }

  releaseAll(): void {
    for (const register of [...this.live.keys()]) this.release(register);
  }
}

/** One instruction on an engine. */
export function interpret<C, P>(
  instruction: Instruction,
  engine: Engine<C, P>,
  registers: RegisterFile<C>,
  constant: (id: ConstantId) => P,
): void {
  switch (instruction.op) {
    case 'rotate':
      return registers.set(instruction.out, engine.rotate(registers.get(instruction.a), instruction.steps));
    case 'modSwitch':
      return registers.set(instruction.out, engine.modSwitchTo(registers.get(instruction.a), instruction.toLevel));
    case 'multiplyPlain':
      return registers.set(instruction.out, engine.multiplyPlain(registers.get(instruction.a), constant(instruction.constant)));
    case 'accumulatePlain':
      return engine.accumulateProductPlain(registers.get(instruction.acc), registers.get(instruction.a), constant(instruction.constant));
    case 'multiply':
      return registers.set(instruction.out, engine.multiply(registers.get(instruction.a), registers.get(instruction.b)));
    case 'square':
      return registers.set(instruction.out, engine.square(registers.get(instruction.a)));
    case 'accumulateProduct':
      return engine.accumulateProduct(registers.get(instruction.acc), registers.get(instruction.a), registers.get(instruction.b));
    case 'relinearize':
      return engine.relinearizeInPlace(registers.get(instruction.acc));
    case 'rescale':
      return engine.rescaleInPlace(registers.get(instruction.acc), instruction.scale);
    case 'add':
      return registers.set(instruction.out, engine.add(registers.get(instruction.a), registers.get(instruction.b)));
    case 'sub':
      return registers.set(instruction.out, engine.sub(registers.get(instruction.a), registers.get(instruction.b)));
    case 'negate':
      return registers.set(instruction.out, engine.negate(registers.get(instruction.a)));
    case 'accumulate':
      return engine.addInPlace(registers.get(instruction.acc), registers.get(instruction.a));
    case 'addPlain':
      return registers.set(instruction.out, engine.addPlain(registers.get(instruction.a), constant(instruction.constant)));
  }
}
