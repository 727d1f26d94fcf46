import type { Decomposition, KeySwitcher } from './key_switch.js';
import type { LimbPool } from './limbs.js';
import type { ModulusDown } from './modulus_down.js';
import type { SwitchingKey } from './switching_keys.js';
import type { Pending, Value } from './value.js';
import type { Values } from './values.js';

/** Rotations that are computed together: as many as share the digits from the cache. */
export const ROTATIONS_AT_ONCE = 4;

/** Rotations of one value that nobody has needed yet. */
class Batch {
  readonly #waiting = new Map<Value, SwitchingKey>();

  constructor(
    private readonly switcher: KeySwitcher,
    private readonly modulusDown: ModulusDown,
    private readonly pool: LimbPool,
    private readonly decomposition: Decomposition,
  ) {}

  wait(value: Value, key: SwitchingKey): Pending {
    this.#waiting.set(value, key);
    return {
      extend: () => this.#compute(value, 'extended'),
      settle: () => this.#compute(value, 'polynomials'),
      drop: () => this.#remove(value),
    };
  }

  complete(): void {
    for (const [value] of this.#waiting) this.#compute(value, 'extended');
  }

  abandon(): void {
    for (const [value] of this.#waiting) {
      value.pending = null;
      this.#remove(value);
    }
  }

  /** A rotation and those that were asked for after it, which will be wanted in the same form. */
  #compute(first: Value, form: 'extended' | 'polynomials'): void {
    const waiting = [...this.#waiting];
    const start = waiting.findIndex(([value]) => value === first);
    const group = waiting.slice(start, start + ROTATIONS_AT_ONCE);
    const keys = group.map(([, key]) => key);
    const { switcher, modulusDown, decomposition } = this;
    const made =
      form === 'extended' ? switcher.switchTogether(decomposition, keys) : switcher.switchAndDivide(decomposition, keys, modulusDown);
    for (const [i, [value]] of group.entries()) {
      value[form] = made[i] ?? null;
      value.pending = null;
      this.#remove(value);
    }
  }

  #remove(value: Value): void {
    this.#waiting.delete(value);
    if (this.#waiting.size === 0) this.pool.release(this.decomposition.held);
  }
}

/**
 * Rotations of one value share its digits (hoisting). They are put off and computed a few at a time, so that what is made of one finds it in the cache. Of one value at a time:
 * the digits take more memory than the rotations.
 */
export class Rotations {
  #open: Batch | undefined;

  constructor(
    private readonly switcher: KeySwitcher,
    private readonly modulusDown: ModulusDown,
    private readonly pool: LimbPool,
    private readonly values: Values,
  ) {}

  /** One for every key, in order. What is extended in the value stays so, but for the part that is switched. */
  of(value: Value, keys: readonly SwitchingKey[]): Value[] {
    const { pool, values, switcher } = this;
    values.gather(value);
    const { polynomials, extended, limbs } = value;
    const [e0, e1] = extended ?? [];
    const [c0, c1] = polynomials ?? [];
    const addend = { polynomial: c0, extended: e0 };
    const [target] = e1 === undefined ? [pool.hold(c1 ?? [])] : this.modulusDown.bySpecial([e1], [c1]);
    const [key, ...others] = keys;
    if (target === undefined || key === undefined) return [];
    try {
      if (others.length === 0) return [values.create({ extended: switcher.switch(target, key, [addend, {}]) }, limbs, 2)];
      this.complete();
      const batch = new Batch(switcher, this.modulusDown, pool, switcher.decompose(target, addend));
      this.#open = batch;
      return keys.map((key) => {
        const made = values.create({}, limbs, 2);
        made.pending = batch.wait(made, key);
        return made;
      });
    } finally {
      pool.release(target);
    }
  }

  /** Computes all that is put off. @throws HeError MEMORY_BUDGET, WORKER_FAILED. */
  complete(): void {
    this.#open?.complete();
    this.#open = undefined;
  }

  /** Before keys are released: computes what is put off, or gives it up where that is no longer possible, so that only releasing it is. */
  close(): void {
    try {
      this.complete();
    } catch {
      this.#open?.abandon();
      this.#open = undefined;
    }
  }
}
