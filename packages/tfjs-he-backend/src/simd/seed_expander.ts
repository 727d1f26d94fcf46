import { HeError } from '../errors.js';
import type { Heap } from './heap.js';
import type { Address, Kernels } from './kernels.js';
import type { Polynomial } from './limbs.js';

// As in assembly/expand.ts: scratch bytes, and where in them the seed is.
const SCRATCH = 4544;
const SEED_AT = 384;
const SEED_BYTES = 64;

/** Expands SEAL's seeds into residues in [0, p), prime by prime. */
export class SeedExpander {
  readonly #state: Address;
  readonly #primes: Address;
  readonly #limbs: Address;

  /** @param primes all primes, data primes first */
  constructor(
    private readonly heap: Heap,
    private readonly kernels: Kernels,
    private readonly degree: number,
    primes: readonly bigint[],
  ) {
    this.#state = heap.allocate(SCRATCH);
    this.#primes = heap.allocate(8 * primes.length);
    this.#limbs = heap.allocate(4 * primes.length);
    const view = new DataView(heap.memory.buffer, this.#primes);
    primes.forEach((prime, i) => {
      view.setBigUint64(8 * i, prime, true);
    });
  }

  /** @param seed generator byte and 64 bytes; @param limbs of the first primes, which are overwritten */
  expand(seed: Uint8Array | undefined, limbs: Polynomial): void {
    const { heap, kernels, degree } = this;
    if (seed === undefined || seed.length !== SEED_BYTES + 1) {
      throw new HeError('WIRE_MALFORMED', 'a seed is missing', { op: 'load', hint: 'Send what the client made, unchanged.' });
    }
    heap.bytes(this.#state + SEED_AT, SEED_BYTES).set(seed.subarray(1));
    heap.words(this.#limbs, limbs.length).set(limbs.map(({ at }) => at));
    kernels.expandUniform(this.#limbs, this.#primes, limbs.length, degree, this.#state);
  }
}
