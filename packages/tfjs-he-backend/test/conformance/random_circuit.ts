import fc from 'fast-check';
import { createOpCounts, type OpCounts } from '../../src/engines/op_counts.js';
import { scalesAgree } from '../../src/engines/rules.js';
import type { Parameters } from '../../src/parameters/parameters.js';
import { CONJUGATION } from '../../src/ring/galois.js';
import { pack, type TensorLayout } from '../../src/wire/layout.js';
import { randomValues } from '../support/random.js';
import { type C, galoisSteps, type Session } from './session.js';

/** A ciphertext, the slots it should hold, and a bound on the error in them. */
export interface Tracked {
  readonly c: C;
  readonly slots: Float64Array;
  readonly error: number;
  readonly secret: SecretPart;
}

/**
 * What multiplies the secret key in a ciphertext, as a sum of named parts with their factors: sums that cancel it would hide nothing, and SEAL
 * refuses them.
 */
type SecretPart = ReadonlyMap<string, number>;

const part = (name: string): SecretPart => new Map([[name, 1]]);
const nameOf = (secret: SecretPart) =>
  [...secret]
    .map(([name, factor]) => `${factor}${name}`)
    .sort()
    .join('+');
function combine(a: SecretPart, b: SecretPart, sign: 1 | -1): SecretPart {
  const sum = new Map(a);
  for (const [name, factor] of b) sum.set(name, (sum.get(name) ?? 0) + sign * factor);
  return new Map([...sum].filter(([, factor]) => factor !== 0));
}

/** One step of a random circuit: what to do, with what, and a seed for plaintext values. */
export interface Step {
  readonly op: (typeof OPS)[number];
  readonly a: number;
  readonly b: number;
  readonly seed: number;
}

const OPS = [
  'add',
  'sub',
  'negate',
  'addPlain',
  'rotate',
  'multiplyPlain',
  'multiply',
  'square',
  'modSwitch',
  'sumOfPlainProducts',
  'sumOfProducts',
  'inPlace',
] as const;

export const steps = fc.array(
  fc.record({ op: fc.constantFrom(...OPS), a: fc.nat(100), b: fc.nat(100), seed: fc.integer({ min: 1, max: 1 << 30 }) }),
  { minLength: 1, maxLength: 10 },
);

/** Layouts of tensors of any shape up to rank 3, repeated with any period, elements in any order. */
export const layouts = (slots: number): fc.Arbitrary<TensorLayout> =>
  fc
    .record({
      shape: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
      spare: fc.integer({ min: 0, max: 3 }),
      seed: fc.integer({ min: 1, max: 1 << 30 }),
    })
    .map(({ shape, spare, seed }) => {
      const size = shape.reduce((product, n) => product * n, 1);
      const period = Math.min(slots, 2 ** (Math.ceil(Math.log2(size)) + spare));
      const order = Array.from(randomValues(period, seed), (key, place) => ({ key, place })).sort((x, y) => x.key - y.key);
      return { name: 't', shape, ciphertexts: 1, slotOf: order.slice(0, size).map(({ place }) => place), period };
    });

// Bounds on the largest slot error, times the scale: several standard deviations over what N = 4096 gives, see mock_noise.ts.
const NOISE = 2 ** 14;
/** A key switch concentrates its noise on the slots next to 1. */
const SWITCH_NOISE = 2 ** 21;
const LARGEST_VALUE = 6;

const largest = (values: Float64Array) => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
const zip = (a: Float64Array, b: Float64Array, f: (x: number, y: number) => number) => a.map((x, i) => f(x, b[i]!));

/** Runs steps on an engine and, beside it, on plain numbers. Steps that levels, scales or sizes do not allow become rotations. */
export class RandomCircuit {
  readonly values: Tracked[] = [];
  /** Operations there should have been, by name and level. */
  readonly expected: OpCounts = createOpCounts();
  private readonly parameters: Parameters;

  constructor(private readonly session: Session) {
    this.parameters = session.engine.parameters;
  }

  input(layout: TensorLayout, seed: number): void {
    const { slots, maxLevel } = this.parameters;
    const [packed] = pack(randomValues(layout.slotOf.length, seed), layout, slots);
    this.expected.observe('load', maxLevel);
    this.values.push({
      c: this.session.encrypt(packed!),
      slots: packed!,
      error: NOISE / this.parameters.levelScale(maxLevel),
      secret: part(`input ${this.values.length}`),
    });
  }

  step({ op, a, b, seed }: Step): void {
    const x = this.values[a % this.values.length]!;
    const partners = this.values.filter((y) => this.agree(x, y));
    const y = partners[b % partners.length]!;
    this.values.push(this.apply(op, x, y, seed) ?? this.rotate(x, seed));
  }

  dispose(): void {
    for (const { c } of this.values) this.session.engine.dispose(c);
  }

  private info({ c }: Tracked) {
    return this.session.engine.info(c);
  }

  private agree(x: Tracked, y: Tracked): boolean {
    const [one, other] = [this.info(x), this.info(y)];
    return one.level === other.level && scalesAgree(one.scale, other.scale);
  }

  private count(x: Tracked, ...ops: readonly string[]): void {
    for (const op of ops) this.expected.observe(op, this.info(x).level);
  }

  private apply(op: Step['op'], x: Tracked, y: Tracked, seed: number): Tracked | undefined {
    const { engine } = this.session;
    const { level, scale } = this.info(x);
    const { refreshLevel } = this.parameters;
    const fits = largest(x.slots) + largest(y.slots) < LARGEST_VALUE;
    const canonical = scalesAgree(scale, this.parameters.levelScale(level));
    const down = level > refreshLevel;
    switch (op) {
      case 'add':
      case 'sub': {
        const sign = op === 'add' ? 1 : -1;
        const secret = combine(x.secret, y.secret, sign);
        if (!fits || secret.size === 0) return undefined;
        this.count(x, op);
        return { c: engine[op](x.c, y.c), slots: zip(x.slots, y.slots, (p, q) => p + sign * q), error: x.error + y.error, secret };
      }
      case 'negate':
        this.count(x, 'negate');
        return { c: engine.negate(x.c), slots: x.slots.map((p) => -p), error: x.error, secret: combine(new Map(), x.secret, -1) };
      case 'addPlain':
        return fits ? this.addPlain(x, seed) : undefined;
      case 'inPlace':
        return fits ? this.inPlace(x, y, seed) : undefined;
      case 'rotate':
        return this.rotate(x, seed);
      case 'multiplyPlain':
        return down ? this.plainProducts([x], seed) : undefined;
      case 'sumOfPlainProducts':
        return down && fits ? this.plainProducts([x, y], seed) : undefined;
      case 'multiply':
        return down && canonical ? this.products([[x, y]]) : undefined;
      case 'square':
        return down && canonical ? this.products([[x, x]]) : undefined;
      case 'sumOfProducts':
        return down && canonical
          ? this.products([
              [x, y],
              [y, y],
            ])
          : undefined;
      case 'modSwitch':
        return this.modSwitch(x, seed);
    }
  }

  private plaintext(seed: number): Float64Array {
    return randomValues(this.parameters.slots, seed);
  }

  private addPlain(x: Tracked, seed: number): Tracked {
    const { engine } = this.session;
    const { level, scale } = this.info(x);
    const values = this.plaintext(seed);
    const p = engine.encode(values, level, scale);
    this.count(x, 'encode', 'addPlain');
    const c = engine.addPlain(x.c, p);
    engine.disposePlain(p);
    return { c, slots: zip(x.slots, values, (s, t) => s + t), error: x.error + NOISE / scale, secret: x.secret };
  }

  private inPlace(x: Tracked, y: Tracked, seed: number): Tracked | undefined {
    const { engine } = this.session;
    const secret = combine(x.secret, y.secret, 1);
    if (secret.size === 0) return undefined;
    const c = engine.clone(x.c);
    engine.addInPlace(c, y.c);
    this.count(x, 'add');
    const error = x.error + y.error;
    if (seed % 2 === 0) return { c, slots: zip(x.slots, y.slots, (s, t) => s + t), error, secret };
    engine.subInPlace(c, x.c);
    this.count(x, 'sub');
    return { c, slots: y.slots.slice(), error: error + x.error, secret: y.secret };
  }

  private rotate(x: Tracked, seed: number): Tracked {
    const { slots } = this.parameters;
    const step = galoisSteps[seed % galoisSteps.length]!;
    if (step === CONJUGATION) return this.conjugate(x);
    const rotated = x.slots.map((_, i) => x.slots[(i + step) % slots]!);
    this.count(x, 'rotate');
    // Equal modulo the slots: negative steps name the same key.
    const c = this.session.engine.rotate(x.c, seed % 2 === 0 ? step : step - slots);
    const secret = part(`rotate ${step} (${nameOf(x.secret)})`);
    return { c, slots: rotated, error: x.error + SWITCH_NOISE / this.info(x).scale, secret };
  }

  private conjugate(x: Tracked): Tracked {
    this.count(x, 'conjugate');
    const c = this.session.engine.conjugate(x.c);
    return { c, slots: x.slots, error: x.error + SWITCH_NOISE / this.info(x).scale, secret: part(`conjugate (${nameOf(x.secret)})`) };
  }

  /** Sum of products with plaintexts, rescaled to the canonical scale. */
  private plainProducts(factors: readonly Tracked[], seed: number): Tracked {
    const { engine } = this.session;
    const [first] = factors as [Tracked];
    const { level, scale } = this.info(first);
    const target = this.parameters.levelScale(level - 1);
    const plainScale = (target * this.parameters.primeAt(level)) / scale;
    let sum: C | undefined;
    let slots = new Float64Array(this.parameters.slots);
    let error = NOISE / target;
    for (const [i, x] of factors.entries()) {
      const values = this.plaintext(seed + i);
      const p = engine.encode(values, level, plainScale);
      this.count(first, 'encode', 'multiplyPlain');
      if (sum === undefined) sum = engine.multiplyPlain(x.c, p);
      else {
        engine.accumulateProductPlain(sum, x.c, p);
        this.count(first, 'add');
      }
      engine.disposePlain(p);
      slots = zip(
        slots,
        zip(x.slots, values, (s, t) => s * t),
        (s, t) => s + t,
      );
      error += x.error + (largest(x.slots) * NOISE) / plainScale;
    }
    this.count(first, 'rescale');
    engine.rescaleInPlace(sum!, target);
    const names = factors.map(({ secret }) => nameOf(secret)).join(', ');
    return { c: sum!, slots, error, secret: part(`plain ${seed} (${names})`) };
  }

  /** Sum of products of ciphertexts, relinearised once and rescaled. */
  private products(pairs: readonly (readonly [Tracked, Tracked])[]): Tracked | undefined {
    const { engine } = this.session;
    const [[first, second]] = pairs as [readonly [Tracked, Tracked]];
    const bound = pairs.reduce((total, [x, y]) => total + largest(x.slots) * largest(y.slots), 0);
    if (bound > LARGEST_VALUE) return undefined;
    const { level, scale } = this.info(first);
    const target = this.parameters.levelScale(level - 1);
    const product = first === second ? engine.square(first.c) : engine.multiply(first.c, second.c);
    this.count(first, first === second ? 'square' : 'multiply');
    for (const [x, y] of pairs.slice(1)) {
      engine.accumulateProduct(product, x.c, y.c);
      this.count(first, 'multiply', 'add');
    }
    engine.relinearizeInPlace(product);
    engine.rescaleInPlace(product, target);
    this.count(first, 'relinearize', 'rescale');
    let slots = new Float64Array(this.parameters.slots);
    let error = SWITCH_NOISE / scale ** 2 + NOISE / target;
    for (const [x, y] of pairs) {
      slots = zip(
        slots,
        zip(x.slots, y.slots, (s, t) => s * t),
        (s, t) => s + t,
      );
      error += largest(x.slots) * y.error + largest(y.slots) * x.error + x.error * y.error;
    }
    const names = pairs.flat().map((x) => nameOf(x.secret));
    return { c: product, slots, error, secret: part(`product (${names.join(', ')})`) };
  }

  private modSwitch(x: Tracked, seed: number): Tracked | undefined {
    const { level, scale } = this.info(x);
    const { refreshLevel } = this.parameters;
    const to = refreshLevel + (seed % (level - refreshLevel + 1));
    // What is refreshed or decrypted has the canonical scale.
    if (to === level || (to === refreshLevel && !scalesAgree(scale, this.parameters.levelScale(to)))) return undefined;
    this.count(x, 'modSwitchTo');
    return {
      c: this.session.engine.modSwitchTo(x.c, to),
      slots: x.slots,
      error: x.error + NOISE / scale,
      secret: part(`level ${to} (${nameOf(x.secret)})`),
    };
  }
}

/** Bound on the error of a value after the session has brought it down to be decrypted: by products with one, level by level. */
export function decryptedError({ slots, error }: Tracked, parameters: Parameters): number {
  const scale = Math.min(...Array.from({ length: parameters.maxLevel + 1 }, (_, level) => parameters.levelScale(level)));
  return error + (parameters.maxLevel * (1 + largest(slots)) * NOISE) / scale;
}
