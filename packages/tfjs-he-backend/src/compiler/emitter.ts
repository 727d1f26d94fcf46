import { BUG_HINT, HeError } from '../errors.js';
import type { Parameters } from '../parameters/parameters.js';
import type { Constant, ConstantId, Instruction, Refresh, Register, Segment } from '../program/program.js';

/** Level and scale of a register. */
export interface RegisterState {
  readonly level: number;
  readonly scale: number;
}

type Body<T> = T extends Instruction ? Omit<T, 'layer' | 'level'> : never;

/**
 * Appends instructions and keeps account of the level and exact scale of every register. Repeated pure work (the same rotation, level drop,
 * encoded constant) is emitted once per segment.
 */
export class Emitter {
  readonly constants: Constant[] = [];
  readonly segments: Segment[] = [];
  readonly layers: string[] = [];
  readonly galoisSteps = new Set<number>();
  private readonly states: RegisterState[] = [];
  private readonly constantIds = new Map<Float64Array, Map<string, ConstantId>>();
  private readonly shared = new Map<string, Register>();
  private readonly uniform = new Map<number, Float64Array>();
  private instructions: Instruction[] = [];
  private layer = 0;

  constructor(readonly parameters: Parameters) {}

  get registers(): number {
    return this.states.length;
  }

  /** Instructions of the segment so far. */
  get emitted(): readonly Instruction[] {
    return this.instructions;
  }

  setLayer(label: string): void {
    const known = this.layers.indexOf(label);
    this.layer = known >= 0 ? known : this.layers.push(label) - 1;
  }

  stateOf(register: Register): RegisterState {
    const state = this.states[register];
    if (state === undefined) throw bug(`register ${register} is not defined`);
    return state;
  }

  newRegister(state: RegisterState): Register {
    return this.states.push(state) - 1;
  }

  endSegment(refreshes: readonly Refresh[]): void {
    this.segments.push({ instructions: this.instructions, refreshes });
    this.instructions = [];
    this.shared.clear();
  }

  /** Level drop; the scale stays as it is. */
  modSwitch(a: Register, toLevel: number): Register {
    const { level, scale } = this.stateOf(a);
    if (level === toLevel) return a;
    if (level < toLevel) throw bug(`level ${level} cannot be raised to ${toLevel}`);
    return this.once(`modSwitch ${a} ${toLevel}`, () => {
      const out = this.newRegister({ level: toLevel, scale });
      this.push({ op: 'modSwitch', out, a, toLevel }, level);
      return out;
    });
  }

  /** out[s] = a[s + steps]. */
  rotate(a: Register, steps: number): Register {
    const reduced = ((steps % this.parameters.slots) + this.parameters.slots) % this.parameters.slots;
    if (reduced === 0) return a;
    return this.once(`rotate ${a} ${reduced}`, () => {
      const state = this.stateOf(a);
      const out = this.newRegister(state);
      this.galoisSteps.add(reduced);
      this.push({ op: 'rotate', out, a, steps: reduced }, state.level);
      return out;
    });
  }

  /** Rotation by a multiple of `unit`, one unit at a time: needs one Galois key, and shares its intermediate results. */
  rotateByUnits(a: Register, unit: number, count: number): Register {
    let register = a;
    for (let i = 0; i < count; i++) register = this.rotate(register, unit);
    return register;
  }

  /** a * values, with values moved `shift` slots up. */
  multiplyPlain(a: Register, values: Float64Array, scale: number, shift = 0): Register {
    const { level, scale: own } = this.stateOf(a);
    const out = this.newRegister({ level, scale: own * scale });
    this.push({ op: 'multiplyPlain', out, a, constant: this.constant(values, level, scale, shift) }, level);
    return out;
  }

  accumulatePlain(acc: Register, a: Register, values: Float64Array, scale: number, shift = 0): void {
    const { level } = this.stateOf(a);
    this.push({ op: 'accumulatePlain', acc, a, constant: this.constant(values, level, scale, shift) }, level);
  }

  multiply(a: Register, b: Register): Register {
    const { level, scale } = this.stateOf(a);
    const out = this.newRegister({ level, scale: scale * this.stateOf(b).scale });
    this.push(a === b ? { op: 'square', out, a } : { op: 'multiply', out, a, b }, level);
    return out;
  }

  accumulateProduct(acc: Register, a: Register, b: Register): void {
    this.push({ op: 'accumulateProduct', acc, a, b }, this.stateOf(a).level);
  }

  relinearize(acc: Register): void {
    this.push({ op: 'relinearize', acc }, this.stateOf(acc).level);
  }

  /** One level down, to exactly the canonical scale. */
  rescale(acc: Register): void {
    const { level } = this.stateOf(acc);
    const scale = this.parameters.levelScale(level - 1);
    this.push({ op: 'rescale', acc, scale }, level);
    this.states[acc] = { level: level - 1, scale };
  }

  add(a: Register, b: Register): Register {
    const state = this.stateOf(a);
    const out = this.newRegister(state);
    this.push({ op: 'add', out, a, b }, state.level);
    return out;
  }

  sub(a: Register, b: Register): Register {
    const state = this.stateOf(a);
    const out = this.newRegister(state);
    this.push({ op: 'sub', out, a, b }, state.level);
    return out;
  }

  negate(a: Register): Register {
    const state = this.stateOf(a);
    const out = this.newRegister(state);
    this.push({ op: 'negate', out, a }, state.level);
    return out;
  }

  accumulate(acc: Register, a: Register): void {
    this.push({ op: 'accumulate', acc, a }, this.stateOf(acc).level);
  }

  addPlain(a: Register, values: Float64Array): Register {
    const state = this.stateOf(a);
    const out = this.newRegister(state);
    this.push({ op: 'addPlain', out, a, constant: this.constant(values, state.level, state.scale, 0) }, state.level);
    return out;
  }

  /**
   * The plaintext scale that takes a ciphertext of scale `from`, multiplied at `level`, to exactly the canonical scale of level - 1 after
   * rescaling.
   */
  plainScale(from: number, level: number): number {
    return (this.parameters.levelScale(level - 1) * this.parameters.primeAt(level)) / from;
  }

  /** The value at a lower level with that level's canonical scale: a product with 1 and a rescale. */
  adjust(a: Register, toLevel: number): Register {
    const { level } = this.stateOf(a);
    if (level === toLevel) return a;
    return this.once(`adjust ${a} ${toLevel}`, () => {
      const dropped = this.modSwitch(a, toLevel + 1);
      const out = this.multiplyPlain(dropped, this.uniformValues(1), this.plainScale(this.stateOf(dropped).scale, toLevel + 1));
      this.rescale(out);
      return out;
    });
  }

  /** A one-slot period: the same value everywhere. */
  private uniformValues(value: number): Float64Array {
    let values = this.uniform.get(value);
    if (values === undefined) {
      values = Float64Array.of(value);
      this.uniform.set(value, values);
    }
    return values;
  }

  private once(key: string, emit: () => Register): Register {
    const before = this.shared.get(key);
    if (before !== undefined) return before;
    const register = emit();
    this.shared.set(key, register);
    return register;
  }

  private constant(values: Float64Array, level: number, scale: number, shift: number): ConstantId {
    let byState = this.constantIds.get(values);
    if (byState === undefined) {
      byState = new Map();
      this.constantIds.set(values, byState);
    }
    const key = `${level} ${scale} ${shift}`;
    let id = byState.get(key);
    if (id === undefined) {
      id = this.constants.push({ values, shift, level, scale }) - 1;
      byState.set(key, id);
    }
    return id;
  }

  private push(body: Body<Instruction>, level: number): void {
    this.instructions.push({ ...body, layer: this.layer, level });
  }
}

export function bug(what: string): HeError {
  return new HeError('COMPILE_FAILED', what, { op: 'emit', hint: BUG_HINT });
}
