import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import type { Constant, ConstantId, Program } from '../program/program.js';

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
    const { level, scale } = constant;
    const plaintext = this.engine.encode(slotValues(constant, this.engine.parameters.slots), level, scale);
    this.encoded.set(id, plaintext);
    return plaintext;
  }

  /** Constants of the program, and how many of them are encoded. */
  get progress(): { readonly done: number; readonly total: number } {
    return { done: this.encoded.size, total: this.program.constants.length };
  }

  dispose(): void {
    for (const plaintext of this.encoded.values()) this.engine.disposePlain(plaintext);
    this.encoded.clear();
  }
}

/** All slots of a constant. */
export function slotValues({ values, shift }: Constant, slots: number): Float64Array {
  const period = values.length;
  return Float64Array.from({ length: slots }, (_, s) => values[(s + period - (shift % period)) % period] ?? 0);
}
