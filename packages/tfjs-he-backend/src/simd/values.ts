import type { Encoder, SimdPlaintext } from './encoder.js';
import { type LimbPool, limbAt, type Polynomial } from './limbs.js';
import type { ModulusDown } from './modulus_down.js';
import { MOST_TERMS, type Sums } from './sums.js';
import { type PrimeTables, tableOfLimb } from './tables.js';
import type { TaskRunner } from './threads.js';
import type { SimdCiphertext, Term, Value } from './value.js';

/** Makes, shares and settles values. */
export class Values {
  constructor(
    private readonly runner: TaskRunner,
    private readonly pool: LimbPool,
    private readonly tables: readonly PrimeTables[],
    private readonly encoder: Encoder,
    private readonly modulusDown: ModulusDown,
    private readonly sums: Sums,
  ) {}

  /** Takes over the polynomials. */
  create(parts: Partial<Pick<Value, 'polynomials' | 'extended' | 'terms'>>, limbs: number, size: number): Value {
    return {
      holders: 1,
      limbs,
      size,
      polynomials: parts.polynomials ?? null,
      extended: parts.extended ?? null,
      terms: parts.terms ?? [],
      pending: null,
    };
  }

  hold(value: Value): Value {
    value.holders++;
    return value;
  }

  release(value: Value): void {
    if (--value.holders === 0) this.#drop(value);
  }

  /** Gives a handle a new value, already held. */
  replace(c: SimdCiphertext, value: Value): void {
    this.release(c.value);
    c.value = value;
  }

  /** Adds a product to a handle. */
  accumulate(c: SimdCiphertext, a: Value, b: Value | SimdPlaintext): void {
    // Before the factors are held: the copy then takes no memory, so it cannot fail.
    c.value.pending?.extend();
    const term = this.term(a, b);
    if (c.value.holders > 1) this.replace(c, this.#copy(c.value));
    c.value.terms.push(term);
    if (c.value.terms.length === MOST_TERMS) this.gather(c.value);
  }

  term(a: Value, b: Value | SimdPlaintext): Term {
    if ('limbBytes' in b) {
      this.#prepare(a, true);
      b.holders++;
      return { kind: 'plain', a: this.hold(a), plaintext: b };
    }
    this.#prepare(a, false);
    this.#prepare(b, false);
    return { kind: 'cipher', a: this.hold(a), b: this.hold(b) };
  }

  /** The polynomials, with nothing left to do. */
  settle(value: Value): readonly Polynomial[] {
    value.pending?.settle();
    this.gather(value);
    const { extended, polynomials } = value;
    if (extended !== null) {
      value.polynomials = this.modulusDown.bySpecial(extended, polynomials ?? [], true);
      value.extended = null;
      for (const polynomial of [...extended, ...(polynomials ?? [])]) this.pool.release(polynomial);
    }
    if (value.polynomials === null) throw new TypeError('a ciphertext without a value');
    return value.polynomials;
  }

  /**
   * The polynomials divided by their last prime. Both divisions together cost what one does, even if the value is needed settled later. A value held once must be
   * released then: its limbs may have become those of the result.
   */
  rescaled(value: Value): readonly Polynomial[] {
    this.gather(value);
    if (value.extended === null) return this.modulusDown.byLast(this.settle(value));
    return this.modulusDown.bySpecialAndLast(value.extended, value.polynomials ?? [], value.holders === 1);
  }

  /** The same modulo the first `limbs` primes. */
  dropped(value: Value, limbs: number): Value {
    this.gather(value);
    const first = (polynomial: Polynomial): Polynomial => this.pool.hold(polynomial.slice(0, limbs));
    return this.create(
      {
        polynomials: value.polynomials?.map(first) ?? null,
        extended: value.extended?.map((polynomial) => [...first(polynomial), ...this.pool.hold(polynomial.slice(-1))]) ?? null,
      },
      limbs,
      value.size,
    );
  }

  /** Computes the terms. */
  gather(value: Value): void {
    value.pending?.extend();
    const { terms, limbs, size } = value;
    if (terms.length === 0) return;
    const lazy = terms.filter((term) => factorIsExtended(term));
    const ordinary = terms.filter((term) => !factorIsExtended(term));
    const before = [value.polynomials, value.extended] as const;
    const { polynomials, extended } = this.#parts(
      () => (ordinary.length === 0 ? null : this.sums.of(ordinary, size, limbs, before[0])),
      () => (lazy.length === 0 ? null : this.sums.of(lazy, size, limbs + 1, before[1])),
    );
    value.terms = [];
    if (polynomials !== null) this.#exchange(value, 'polynomials', polynomials);
    if (extended !== null) this.#exchange(value, 'extended', extended);
    this.#dropTerms(terms);
  }

  /** a + b, divisions by the special prime left for later. */
  sum(a: Value, b: Value): Value {
    this.gather(a);
    this.gather(b);
    const parts = this.#parts(
      () => this.#added(a.polynomials, b.polynomials, a.limbs),
      () => this.#added(a.extended, b.extended, a.limbs),
    );
    return this.create(parts, a.limbs, a.size);
  }

  /** Both parts of a value, or, where there is no memory for the second, neither. */
  #parts(polynomialsOf: () => readonly Polynomial[] | null, extendedOf: () => readonly Polynomial[] | null) {
    const polynomials = polynomialsOf();
    try {
      return { polynomials, extended: extendedOf() };
    } catch (error) {
      for (const polynomial of polynomials ?? []) this.pool.release(polynomial);
      throw error;
    }
  }

  /** New polynomials, or those of the only operand. `limbs` data primes; a limb beyond is of the special prime. */
  #added(a: readonly Polynomial[] | null, b: readonly Polynomial[] | null, limbs: number): readonly Polynomial[] | null {
    if (a === null || b === null) return (a ?? b)?.map((polynomial) => this.pool.hold(polynomial)) ?? null;
    return this.pool.fillPolynomials(a.length, a[0]?.length ?? 0, (made) => {
      const places = made.flatMap((polynomial, k) => polynomial.map(({ at }, i) => ({ at, k, i })));
      this.runner.run(
        places.map(({ at, k, i }) => (kernels) => {
          const [x, y] = [limbAt(a[k] ?? [], i), limbAt(b[k] ?? [], i)];
          kernels.add(at, x.at, y.at, this.pool.degree, tableOfLimb(this.tables, i, limbs).prime);
        }),
      );
    });
  }

  #prepare(factor: Value, mayBeExtended: boolean): void {
    if (mayBeExtended) factor.pending?.extend();
    if (mayBeExtended && factor.extended !== null && factor.polynomials === null && factor.terms.length === 0) return;
    this.settle(factor);
  }

  #exchange(value: Value, part: 'polynomials' | 'extended', polynomials: readonly Polynomial[]): void {
    for (const polynomial of value[part] ?? []) this.pool.release(polynomial);
    value[part] = polynomials;
  }

  #copy(value: Value): Value {
    value.pending?.extend();
    const { polynomials, extended, terms, limbs, size } = value;
    for (const polynomial of [...(polynomials ?? []), ...(extended ?? [])]) this.pool.hold(polynomial);
    for (const term of terms) {
      this.hold(term.a);
      if (term.kind === 'cipher') this.hold(term.b);
      else term.plaintext.holders++;
    }
    return this.create({ polynomials, extended, terms: [...terms] }, limbs, size);
  }

  #drop(value: Value): void {
    value.pending?.drop();
    for (const polynomial of [...(value.polynomials ?? []), ...(value.extended ?? [])]) this.pool.release(polynomial);
    this.#dropTerms(value.terms);
  }

  #dropTerms(terms: readonly Term[]): void {
    for (const term of terms) {
      this.release(term.a);
      if (term.kind === 'cipher') this.release(term.b);
      else this.encoder.release(term.plaintext);
    }
  }
}

/** A term's first factor is extended alone, or settled. */
function factorIsExtended({ a }: Term): boolean {
  return a.polynomials === null;
}
