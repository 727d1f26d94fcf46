import { allOrNone } from '../all_or_none.js';
import type { Heap } from './heap.js';
import type { Address } from './kernels.js';
import { type LimbPool, limbAt, type Polynomial } from './limbs.js';
import { type PrimeTables, tableOfLimb } from './tables.js';
import type { TaskRunner } from './threads.js';
import type { Term, Value } from './value.js';

/** Most terms of a sum: those that wait for it hold on to memory. */
export const MOST_TERMS = 64;

/** Bytes of the pairs of addresses of a limb's terms; a ciphertext product adds two pairs to the middle polynomial. */
const LIST_BYTES = 8 * 2 * MOST_TERMS;

/** Factors of one product of limbs; the second has runs of 2^logRun equal values. */
interface Pair {
  readonly a: Address;
  readonly b: Address;
  readonly logRun: number;
}

/** Sums of products, in one pass and with one reduction. */
export class Sums {
  readonly #pairs: Address;

  constructor(
    private readonly heap: Heap,
    private readonly runner: TaskRunner,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
  ) {
    this.#pairs = heap.allocate(LIST_BYTES * tables.length);
  }

  /** base + the sum of terms whose factors are all ordinary or all extended. */
  of(terms: readonly Term[], size: number, limbs: number, base: readonly Polynomial[] | null): readonly Polynomial[] {
    return allOrNone(
      size,
      (k) => this.#sumOf(terms, k, limbs, base?.[k]),
      (polynomial) => this.pool.release(polynomial),
    );
  }

  #sumOf(terms: readonly Term[], k: number, limbs: number, base: Polynomial | undefined): Polynomial {
    const { heap, pool, runner } = this;
    const { degree } = pool;
    const dataLimbs = terms[0]?.a.limbs ?? limbs;
    const polynomial = pool.createPolynomial(limbs);
    runner.run(
      polynomial.map(({ at }, i) => (kernels) => {
        const { prime, bits } = tableOfLimb(this.tables, i, dataLimbs);
        let started = base !== undefined;
        if (base !== undefined) heap.bytes(at, 8 * degree).set(heap.bytes(limbAt(base, i).at, 8 * degree));
        let list = this.#pairs + LIST_BYTES * i;
        for (const [logRun, pairs] of grouped(terms.flatMap((term) => pairsOf(term, k, i)))) {
          const words = heap.words(list, 2 * pairs.length);
          pairs.forEach(({ a, b }, j) => {
            words[2 * j] = a;
            words[2 * j + 1] = b;
          });
          kernels.sumOfProducts(at, list, pairs.length, logRun, degree, bits, prime, started ? 1 : 0);
          list += 8 * pairs.length;
          started = true;
        }
      }),
    );
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
  const at = ({ polynomials, extended }: Value, index: number): Address => limbAt((polynomials ?? extended)?.[index] ?? [], i).at;
  if (term.kind === 'plain') {
    const b = term.plaintext.limbs[i];
    if (b === undefined) throw new RangeError(`no limb ${i}`);
    return [{ a: at(term.a, k), b, logRun: term.plaintext.logRun }];
  }
  const pairs: Pair[] = [];
  for (let j = Math.max(0, k - 1); j <= Math.min(1, k); j++) pairs.push({ a: at(term.a, j), b: at(term.b, k - j), logRun: 0 });
  return pairs;
}
