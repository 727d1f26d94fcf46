import type { Engine } from '../engines/engine.js';
import { HeError } from '../errors.js';
import type { Register } from '../program/program.js';

/**
 * The ciphertexts alive in a run. Between `mark` and `commit` the ciphertexts of the mark are kept, whatever happens to their registers, so that
 * `rollback` can bring them back.
 */
export class RegisterFile<C> {
  private live = new Map<Register, C>();
  private marked = new Map<Register, C>();

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

  /** For instructions that change their register: a ciphertext of the mark is copied first. */
  mutable(register: Register): C {
    const ciphertext = this.get(register);
    if (this.marked.get(register) !== ciphertext) return ciphertext;
    const copy = this.engine.clone(ciphertext);
    this.live.set(register, copy);
    return copy;
  }

  set(register: Register, ciphertext: C): void {
    this.release(register);
    this.live.set(register, ciphertext);
  }

  release(register: Register): void {
    const ciphertext = this.live.get(register);
    if (ciphertext === undefined) return;
    this.live.delete(register);
    if (this.marked.get(register) !== ciphertext) this.engine.dispose(ciphertext);
  }

  mark(): void {
    this.commit();
    this.marked = new Map(this.live);
  }

  /** Lets go of what the mark kept. */
  commit(): void {
    for (const [register, ciphertext] of this.marked) if (this.live.get(register) !== ciphertext) this.engine.dispose(ciphertext);
    this.marked = new Map();
  }

  /** Back to the mark. */
  rollback(): void {
    for (const [register, ciphertext] of this.live) if (this.marked.get(register) !== ciphertext) this.engine.dispose(ciphertext);
    this.live = this.marked;
    this.marked = new Map();
  }

  releaseAll(): void {
    this.commit();
    for (const register of [...this.live.keys()]) this.release(register);
  }

  /** Memory of the live ciphertexts: 8 bytes per residue. */
  get bytes(): number {
    const { polyModulusDegree } = this.engine.parameters;
    let residues = 0;
    for (const ciphertext of this.live.values()) {
      const { level, size } = this.engine.info(ciphertext);
      residues += polyModulusDegree * (level + 1) * size;
    }
    return 8 * residues;
  }
}
