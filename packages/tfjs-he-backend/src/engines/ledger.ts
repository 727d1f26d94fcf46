/** What is alive of one kind of object. */
export interface LedgerEntry {
  readonly count: number;
  readonly bytes: number;
}

export type LedgerKind = 'ciphertext' | 'plaintext' | 'key' | 'context';

/**
 * Account of live objects: WASM handles are never collected and the heap's size cannot be read, but sizes are exact functions of
 * the parameters, so we count them. Tests bring `total()` back to where it started.
 */
export class Ledger {
  readonly #live = new Map<LedgerKind, { count: number; bytes: number }>();
  #bytes = 0;
  #peakBytes = 0;

  acquire(kind: LedgerKind, bytes: number): void {
    this.#move(kind, 1, bytes);
  }

  release(kind: LedgerKind, bytes: number): void {
    this.#move(kind, -1, -bytes);
  }

  /** Change of size of a live object. */
  resize(kind: LedgerKind, deltaBytes: number): void {
    this.#move(kind, 0, deltaBytes);
  }

  of(kind: LedgerKind): LedgerEntry {
    return { ...(this.#live.get(kind) ?? { count: 0, bytes: 0 }) };
  }

  total(): LedgerEntry {
    let count = 0;
    for (const entry of this.#live.values()) count += entry.count;
    return { count, bytes: this.#bytes };
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  #move(kind: LedgerKind, count: number, bytes: number): void {
    const entry = this.#live.get(kind) ?? { count: 0, bytes: 0 };
    entry.count += count;
    entry.bytes += bytes;
    this.#live.set(kind, entry);
    this.#bytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
  }
}
