import { HeError } from '../errors.js';
import type { Address } from './kernels.js';

const PAGE = 65536;
const ALIGNMENT = 64;
/** Pages of a 32-bit memory. The last one stays unused: an address and its end fit in 32 bits. */
const MAX_PAGES = 65535;
const GROWTH = 256;

/**
 * Allocates in a WebAssembly memory. Sizes are few (limbs, keys, short plaintexts), so freed blocks are kept by size and never merged.
 */
export class Heap {
  readonly memory: WebAssembly.Memory;
  readonly #free = new Map<number, Address[]>();
  /** The first page belongs to the kernels' constants. */
  #top = PAGE;
  #end = PAGE;
  #condemned: Error | undefined;

  /** @param shared for several threads; only one of them allocates */
  constructor(shared = false) {
    this.memory = new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared });
  }

  /** From now on nothing is allocated: somebody may still write to what is freed. */
  condemn(reason: Error): void {
    this.#condemned = reason;
  }

  /**
   * @throws HeError MEMORY_BUDGET when the 4 GiB of a WebAssembly memory, or what the system gives of them, are used up; the reason that the heap was
   *   condemned for.
   */
  allocate(bytes: number): Address {
    if (this.#condemned !== undefined) throw this.#condemned;
    const size = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    const reused = this.#free.get(size)?.pop();
    if (reused !== undefined) return reused;
    const at = this.#top;
    if (at + size > this.#end) this.#grow(at + size - this.#end);
    this.#top = at + size;
    return at;
  }

  /** `bytes` as allocated. */
  free(at: Address, bytes: number): void {
    const size = Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    const blocks = this.#free.get(size);
    if (blocks === undefined) this.#free.set(size, [at]);
    else blocks.push(at);
  }

  /** Views do not survive an allocation. */
  doubles(at: Address, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, at, length);
  }

  words(at: Address, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, at, length);
  }

  bytes(at: Address, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, at, length);
  }

  #grow(missing: number): void {
    const needed = Math.ceil(missing / PAGE);
    const available = MAX_PAGES - this.#end / PAGE;
    const pages = Math.min(Math.max(needed, GROWTH), available);
    try {
      if (needed > available) throw new RangeError('the memory has its full size');
      this.memory.grow(pages);
    } catch (cause) {
      throw new HeError('MEMORY_BUDGET', `the simd engine's memory of ${Math.round(this.#end / 2 ** 20)} MiB cannot grow`, {
        op: 'allocate',
        hint: 'Close other sessions, use fewer rotation steps, or start another process.',
        cause,
      });
    }
    this.#end += pages * PAGE;
  }
}
