import type { SimdCiphertext, Term } from './ciphertext.js';
import type { Heap } from './heap.js';
import type { Address, Kernels } from './kernels.js';
import { limbAt, tableAt } from './key_switch.js';
import type { LimbPool, Polynomial } from './limbs.js';
import type { PrimeTables } from './tables.js';

/** Terms gathered before they are computed, which bounds the memory that they hold on to. */
const MOST_TERMS = 32;

/** Factors of one product of limbs; the second has runs of 2^logRun equal values. */
interface Pair {
  readonly a: Address;
  readonly b: Address;
  readonly logRun: number;
}

/** Computes the gathered products of ciphertexts. */
export class Sums {
  readonly #pairs: Address;

  constructor(
    private readonly heap: Heap,
    private readonly kernels: Kernels,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly releasePlaintext: (plaintext: Term & { kind: 'plain' }) => void,
  ) {
    // A ciphertext product adds two pairs to the middle polynomial.
    this.#pairs = heap.allocate(8 * 2 * MOST_TERMS);
  }

  /** Takes over the holders of a term. */
  push(c: SimdCiphertext, term: Term): void {
    c.terms.push(term);
    if (c.terms.length === MOST_TERMS) this.settle(c);
  }

  /** Computes what is gathered. */
  settle(c: SimdCiphertext): readonly Polynomial[] {
    const { polynomials: base, terms } = c;
    if (terms.length === 0 && base !== null) return base;
    const made: Polynomial[] = [];
    try {
      for (let k = 0; k < c.size; k++) made.push(this.#sum(terms, k, c.limbs, base?.[k]));
    } catch (error) {
      for (const polynomial of made) this.pool.release(polynomial);
      throw error;
    }
    this.#drop(c);
    c.polynomials = made;
    return made;
  }

  /** Releases everything a ciphertext holds. */
  release(c: SimdCiphertext): void {
    this.#drop(c);
    c.polynomials = null;
  }

  #drop(c: SimdCiphertext): void {
    for (const polynomial of c.polynomials ?? []) this.pool.release(polynomial);
    for (const term of c.terms) {
      for (const polynomial of term.a) this.pool.release(polynomial);
      if (term.kind === 'plain') this.releasePlaintext(term);
      else for (const polynomial of term.b) this.pool.release(polynomial);
    }
    c.terms = [];
  }

  #sum(terms: readonly Term[], k: number, limbs: number, base: Polynomial | undefined): Polynomial {
    const { kernels, pool } = this;
    const { degree } = pool;
    const polynomial = pool.createPolynomial(limbs);
    for (let i = 0; i < limbs; i++) {
      const { prime, bits } = tableAt(this.tables, i);
      const { at } = limbAt(polynomial, i);
      let started = false;
      if (base !== undefined) {
        this.heap.bytes(at, 8 * degree).set(this.heap.bytes(limbAt(base, i).at, 8 * degree));
        started = true;
      }
      for (const [logRun, pairs] of grouped(terms.flatMap((term) => pairsOf(term, k, i)))) {
        const list = this.heap.words(this.#pairs, 2 * pairs.length);
        pairs.forEach(({ a, b }, j) => {
          list[2 * j] = a;
          list[2 * j + 1] = b;
        });
        kernels.sumOfProducts(at, this.#pairs, pairs.length, logRun, degree, bits, prime, started ? 1 : 0);
        started = true;
      }
    }
    return polynomial;
  }
}

function grouped(pairs: readonly Pair[]): Map<number, Pair[]> {
  const groups = new Map<number, Pair[]>();
  for (const pair of pairs) {
    const group = groups.get(pair.logRun);
    if (group === undefined) groups.set(pair.logRun, [pair]);
    else group.push(pair);
  }
  return groups;
}

/** The products that a term adds to limb i of polynomial k. */
function pairsOf(term: Term, k: number, i: number): Pair[] {
  const at = (polynomials: readonly Polynomial[], index: number): Address => {
    const polynomial = polynomials[index];
    if (polynomial === undefined) throw new RangeError(`no polynomial ${index}`);
    return limbAt(polynomial, i).at;
  };
  if (term.kind === 'plain') {
    const b = term.plaintext.limbs[i];
    if (b === undefined) throw new RangeError(`no limb ${i}`);
    return [{ a: at(term.a, k), b, logRun: term.plaintext.logRun }];
  }
  const pairs: Pair[] = [];
  for (let j = Math.max(0, k - 1); j <= Math.min(1, k); j++) pairs.push({ a: at(term.a, j), b: at(term.b, k - j), logRun: 0 });
  return pairs;
}
