import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import type { ConstantId, Program } from '../program/program.js';

/** Encoded constants of a program, made on first use and shared by all sessions of a server. */
export class ConstantCache<P> {
  private readonly encoded = new Map<ConstantId, P>();

  constructor(
    private readonly program: Program,
    private readonly engine: Engine<unknown, P>,
  ) {}

  get(id: ConstantId): P {
    const known = this.encoded.get(id);
    if (known !== undefined) return known;
    const constant = this.program.constants[id];
    if (constant === undefined) throw new HeError('PROGRAM_INVALID', `constant ${id} is missing`, { hint: 'Compile the program again.' });
    const { values, level, scale } = constant;
    const period = values.length;
    const slots = new Float64Array(this.engine.parameters.slots);
    for (let s = 0; s < slots.length; s += period) slots.set(values, s);
    const plaintext = this.engine.encode(slots, level, scale);
    this.encoded.set(id, plaintext);
    return plaintext;
  }

  dispose(): void {
    for (const plaintext of this.encoded.values()) this.engine.disposePlain(plaintext);
    this.encoded.clear();
  }
}
