import type { Engine, StoredPlaintext } from '../engines/engine.js';
import { HeError } from '../errors.js';
import type { Constant, ConstantId, Program } from '../program/program.js';

/** What encoded constants may take, in bytes. */
export interface CacheLimits {
  /** In the engine's memory; the constant that is in use may exceed it. */
  readonly bytes: number;
  /** Outside of it, as copies, where the engine can make use of them. */
  readonly outsideBytes: number;
}

const UNLIMITED: CacheLimits = { bytes: Number.POSITIVE_INFINITY, outsideBytes: Number.POSITIVE_INFINITY };

/** Encoded constants: where they are, and how often they had to be made. */
export interface CacheUse {
  /** In the engine's memory. */
  readonly bytes: number;
  /** Copies outside of it. */
  readonly outsideBytes: number;
  /** Encodings so far; more than the program has constants when some had to give way. */
  readonly encoded: number;
  /** Copied back into the engine's memory. */
  readonly restored: number;
  /** Taken out of the engine's memory to make room. */
  readonly evicted: number;
}

interface Entry<P> {
  readonly plaintext: P;
  readonly bytes: number;
}

/**
 * Encoded constants of a program, made on first use and shared by all sessions of a server. Beyond the limit, the constant that is needed again last gives way:
 * runs use constants in the same order again and again, so the one not used for longest, which a cache would usually give up, is needed next
 * (Belady, IBM Systems Journal 5(2), 1966).
 */
export class ConstantCache<P> {
  readonly #encoded = new Map<ConstantId, Entry<P>>();
  readonly #stored = new Map<ConstantId, StoredPlaintext<P>>();
  readonly #instructions: number;
  readonly #counts = { encoded: 0, restored: 0, evicted: 0 };
  #bytes = 0;
  #outsideBytes = 0;
  #outsideLimit: number;
  /** Whether the engine can use copies. */
  #storable = true;
  /** Instructions that use a constant, once one had to give way. */
  #uses: ReadonlyMap<ConstantId, readonly number[]> | undefined;
  /** The instruction that asked last. */
  #now = 0;

  constructor(
    private readonly program: Program,
    private readonly engine: Engine<unknown, P>,
    private readonly limits: CacheLimits = UNLIMITED,
  ) {
    this.#outsideLimit = limits.outsideBytes;
    this.#instructions = program.segments.reduce((sum, { instructions }) => sum + instructions.length, 0);
  }

  /** Valid until another one is asked for. */
  get(id: ConstantId): P {
    if (this.#uses !== undefined) this.#now = this.#nextUse(id, this.#now) % this.#instructions;
    return this.#encoded.get(id)?.plaintext ?? this.#make(id);
  }

  /** Encodes a constant ahead of its first use. False: there is no room for it, or for any other. */
  prepare(id: ConstantId): boolean {
    if (this.#encoded.has(id) || this.#stored.has(id)) return true;
    if (this.#bytes >= this.limits.bytes && (!this.#storable || this.#outsideBytes >= this.#outsideLimit)) return false;
    this.get(id);
    return true;
  }

  /** Constants of the program, and how many of them are encoded. */
  get progress(): { readonly done: number; readonly total: number } {
    const storedOnly = [...this.#stored.keys()].filter((id) => !this.#encoded.has(id)).length;
    return { done: this.#encoded.size + storedOnly, total: this.program.constants.length };
  }

  get use(): CacheUse {
    return { bytes: this.#bytes, outsideBytes: this.#outsideBytes, ...this.#counts };
  }

  /** From now on, at most so much is kept outside of the engine's memory. */
  limitOutside(bytes: number): void {
    this.#outsideLimit = bytes;
    for (const [id, stored] of this.#stored) {
      if (this.#outsideBytes <= bytes) return;
      this.#stored.delete(id);
      this.#outsideBytes -= stored.bytes;
    }
  }

  dispose(): void {
    for (const { plaintext } of this.#encoded.values()) this.engine.disposePlain(plaintext);
    this.#encoded.clear();
    this.#stored.clear();
    this.#bytes = 0;
    this.#outsideBytes = 0;
  }

  #make(id: ConstantId): P {
    const stored = this.#stored.get(id);
    const plaintext = stored === undefined ? this.#encode(id) : stored.restore();
    this.#counts[stored === undefined ? 'encoded' : 'restored']++;
    const bytes = this.engine.plainBytes(plaintext);
    this.#encoded.set(id, { plaintext, bytes });
    this.#bytes += bytes;
    while (this.#bytes > this.limits.bytes && this.#encoded.size > 1) this.#evict(this.#neededLast(id));
    return plaintext;
  }

  #encode(id: ConstantId): P {
    const constant = this.program.constants[id];
    if (constant === undefined) throw new HeError('PROGRAM_INVALID', `constant ${id} is missing`, { hint: 'Compile the program again.' });
    const { level, scale } = constant;
    return this.engine.encode(slotValues(constant, this.engine.parameters.slots), level, scale);
  }

  #evict(id: ConstantId): void {
    const entry = this.#encoded.get(id);
    if (entry === undefined) return;
    if (this.#storable && !this.#stored.has(id) && this.#outsideBytes + entry.bytes <= this.#outsideLimit) {
      const stored = this.engine.storePlain(entry.plaintext);
      if (stored === undefined) this.#storable = false;
      else {
        this.#stored.set(id, stored);
        this.#outsideBytes += stored.bytes;
      }
    }
    this.#encoded.delete(id);
    this.#bytes -= entry.bytes;
    this.#counts.evicted++;
    this.engine.disposePlain(entry.plaintext);
  }

  /** Of the encoded constants other than `current`. */
  #neededLast(current: ConstantId): ConstantId {
    if (this.#uses === undefined) {
      this.#uses = usesOf(this.program);
      this.#now = this.#nextUse(current, 0);
    }
    let last = current;
    let latest = -1;
    for (const id of this.#encoded.keys()) {
      if (id === current) continue;
      const next = this.#nextUse(id, this.#now + 1);
      if (next <= latest) continue;
      latest = next;
      last = id;
    }
    return last;
  }

  /** The instruction from `from` on that uses a constant; beyond the end, of another run. */
  #nextUse(id: ConstantId, from: number): number {
    const uses = this.#uses?.get(id) ?? [];
    return uses.find((use) => use >= from) ?? (uses[0] ?? 0) + this.#instructions;
  }
}

/** Instructions that use a constant, counted through all segments, ascending. */
function usesOf({ segments }: Program): Map<ConstantId, number[]> {
  const uses = new Map<ConstantId, number[]>();
  for (const [position, instruction] of segments.flatMap(({ instructions }) => instructions).entries()) {
    if (!('constant' in instruction)) continue;
    const known = uses.get(instruction.constant);
    if (known === undefined) uses.set(instruction.constant, [position]);
    else known.push(position);
  }
  return uses;
}

/** All slots of a constant. */
export function slotValues({ values, shift }: Constant, slots: number): Float64Array {
  const period = values.length;
  return Float64Array.from({ length: slots }, (_, s) => values[(s + period - (shift % period)) % period] ?? 0);
}
