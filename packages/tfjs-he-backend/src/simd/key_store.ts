import type { Heap } from './heap.js';
import type { Address } from './kernels.js';

/** The residues of one key, in the arithmetic memory or outside of it. They never change, so a copy outside stays valid. */
export interface StoredKey {
  at: Address | undefined;
  outside: Uint8Array<ArrayBuffer> | undefined;
}

/**
 * Keys within a budget of the arithmetic memory, which ends at 4 GiB. What does not fit is kept in ordinary buffers and copied in when it is used, in place of
 * the keys that were not used for longest.
 */
export class KeyStore {
  /** In the arithmetic memory, the one not used for longest first. */
  readonly #resident = new Set<StoredKey>();
  #moved = 0;

  /**
   * @param keyBytes of one key; @param budgetBytes most bytes of keys in the arithmetic memory, but as many keys as are used together are always there
   */
  constructor(
    private readonly heap: Heap,
    readonly keyBytes: number,
    private readonly budgetBytes: number,
  ) {}

  /** Keys that were copied into the arithmetic memory because they had had to leave it. */
  get moved(): number {
    return this.#moved;
  }

  /** @throws HeError MEMORY_BUDGET. */
  add(fill: (at: Address) => void): StoredKey {
    const key: StoredKey = { at: this.#place(new Set()), outside: undefined };
    this.#resident.add(key);
    try {
      fill(key.at ?? 0);
      return key;
    } catch (error) {
      this.release(key);
      throw error;
    }
  }

  /** Addresses of keys, in order, valid until another key is asked for. @throws HeError MEMORY_BUDGET. */
  addressesOf(keys: readonly StoredKey[]): Address[] {
    const needed = new Set(keys);
    for (const key of needed) {
      this.#resident.delete(key);
      key.at ??= this.#moveIn(key, needed);
      this.#resident.add(key);
    }
    return keys.map(({ at }) => at ?? 0);
  }

  release(key: StoredKey): void {
    this.#resident.delete(key);
    if (key.at !== undefined) this.heap.free(key.at, this.keyBytes);
    key.at = undefined;
    key.outside = undefined;
  }

  #moveIn(key: StoredKey, needed: ReadonlySet<StoredKey>): Address {
    const at = this.#place(needed);
    if (key.outside !== undefined) this.heap.bytes(at, this.keyBytes).set(key.outside);
    this.#moved++;
    return at;
  }

  /** Room for one more key: that of another one, if the budget is used up. */
  #place(needed: ReadonlySet<StoredKey>): Address {
    if ((this.#resident.size + 1) * this.keyBytes > this.budgetBytes) {
      for (const victim of this.#resident) {
        if (needed.has(victim) || victim.at === undefined) continue;
        const { at } = victim;
        victim.outside ??= this.heap.bytes(at, this.keyBytes).slice() as Uint8Array<ArrayBuffer>; // slice() of a shared memory copies into a buffer of its own
        victim.at = undefined;
        this.#resident.delete(victim);
        return at;
      }
    }
    return this.heap.allocate(this.keyBytes);
  }
}
