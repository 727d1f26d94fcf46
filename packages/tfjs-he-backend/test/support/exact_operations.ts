import { CiphertextHandle } from '../../src/engines/handles.js';
import type { Both, BothPlain, EnginePair } from './engine_pair.js';
import { randomValues } from './random.js';

/** Rotations of random cases. */
export const STEPS = [1, 5, 1000];
/** The keys that they take: of rotations, and of conjugation. */
export const KEYS = [0, ...STEPS];

export interface Case {
  readonly level: number;
  readonly seed: number;
}

/** Frees what it is given when the case is done. */
type Keep = <T extends Both | BothPlain>(made: T) => T;

export type Operation = (pair: EnginePair, a: Both, b: Both, c: Case, keep: Keep) => Both | undefined;

/** Bytes: deep equality of long arrays takes seconds. */
function equal(a: Float64Array, b: Float64Array | undefined): boolean {
  return b !== undefined && Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(Buffer.from(b.buffer, b.byteOffset, b.byteLength));
}

const onBoth = (pair: EnginePair, use: (engine: EnginePair['seal'], side: 'seal' | 'simd') => unknown): Both =>
  // The two engines have different handle types; every operation below is given handles of its own side.
  ({ seal: use(pair.seal, 'seal'), simd: use(pair.simd as unknown as EnginePair['seal'], 'simd') }) as Both;
const of = (x: { seal: unknown; simd: unknown }, side: 'seal' | 'simd') => x[side] as Both['seal'];
const plainOf = (x: { seal: unknown; simd: unknown }, side: 'seal' | 'simd') => x[side] as ReturnType<EnginePair['seal']['encode']>;

/** Undefined: there is no such case at this level. */
export const operations: Readonly<Record<string, Operation>> = {
  add: (pair, a, b) => onBoth(pair, (e, s) => e.add(of(a, s), of(b, s))),
  sub: (pair, a, b) => onBoth(pair, (e, s) => e.sub(of(a, s), of(b, s))),
  negate: (pair, a) => onBoth(pair, (e, s) => e.negate(of(a, s))),
  multiply: (pair, a, b) => onBoth(pair, (e, s) => e.multiply(of(a, s), of(b, s))),
  square: (pair, a) => onBoth(pair, (e, s) => e.square(of(a, s))),
  relinearize(pair, a, b, _c, keep) {
    const product = keep(onBoth(pair, (e, s) => e.multiply(of(a, s), of(b, s))));
    return onBoth(pair, (e, s) => e.relinearize(of(product, s)));
  },
  accumulateProduct(pair, a, b, { level, seed }, keep) {
    const sum = onBoth(pair, (e, s) => e.multiply(of(a, s), of(b, s)));
    const other = keep(pair.random(level, seed + 7));
    for (let i = 0; i < 3; i++)
      onBoth(pair, (e, s) => {
        e.accumulateProduct(of(sum, s), of(other, s), of(i % 2 === 0 ? a : b, s));
      });
    return sum;
  },
  rescale(pair, a, _b, { level }, keep) {
    if (level === 0) return undefined;
    const { levelScale, primeAt, slots } = pair.parameters;
    const p = keep(pair.encode(randomValues(slots, 3), level, (levelScale(level - 1) * primeAt(level)) / levelScale(level)));
    const product = keep(onBoth(pair, (e, s) => e.multiplyPlain(of(a, s), plainOf(p, s))));
    return onBoth(pair, (e, s) => e.rescale(of(product, s), levelScale(level - 1)));
  },
  'rescale of three polynomials': (pair, a, b, { level }, keep) => {
    if (level === 0) return undefined;
    const product = keep(onBoth(pair, (e, s) => e.multiply(of(a, s), of(b, s))));
    const { scale } = pair.seal.info(product.seal);
    return onBoth(pair, (e, s) => e.rescale(of(product, s), scale / pair.parameters.primeAt(level)));
  },
  modSwitchTo: (pair, a, _b, { level, seed }) => onBoth(pair, (e, s) => e.modSwitchTo(of(a, s), seed % (level + 1))),
  rotate: (pair, a, _b, { seed }) => onBoth(pair, (e, s) => e.rotate(of(a, s), STEPS[seed % STEPS.length]!)),
  conjugate: (pair, a) => onBoth(pair, (e, s) => e.conjugate(of(a, s))),
  addPlain(pair, a, _b, { level, seed }, keep) {
    const p = keep(pair.encode(randomValues(pair.parameters.slots, seed), level, pair.parameters.levelScale(level)));
    return onBoth(pair, (e, s) => e.addPlain(of(a, s), plainOf(p, s)));
  },
  accumulateProductPlain(pair, a, b, { level, seed }, keep) {
    const [first, ...rest] = [0, 1, 2].map((i) => keep(pair.encode(randomValues(pair.parameters.slots, seed + i), level, 2 ** 20)));
    const sum = onBoth(pair, (e, s) => e.multiplyPlain(of(a, s), plainOf(first!, s)));
    for (let i = 0; i < 36; i++)
      onBoth(pair, (e, s) => {
        e.accumulateProductPlain(of(sum, s), of(i % 3 === 0 ? a : b, s), plainOf(rest[i % 2]!, s));
      });
    return sum;
  },
};

/** SEAL's rules, and ours: scales grow beyond small moduli, and so do values. */
const FORBIDDEN: readonly unknown[] = ['SCALE_OUT_OF_BOUNDS', 'ENCODE_INVALID'];

/** Limbs, as [polynomial, prime], in which the two results of an operation on random ciphertexts differ; undefined: it is not allowed at this level. */
export function differences(pair: EnginePair, operation: Operation, c: Case): (readonly [number, number])[] | undefined {
  const kept: (Both | BothPlain)[] = [];
  const keep: Keep = (made) => {
    kept.push(made);
    return made;
  };
  const [a, b] = [keep(pair.random(c.level, c.seed)), keep(pair.random(c.level, c.seed + 1))];
  try {
    const result = operation(pair, a, b, c, keep);
    if (result === undefined) return undefined;
    keep(result);
    const { seal, simd } = pair.residues(result);
    const [infoOfSeal, infoOfSimd] = [pair.seal.info(result.seal), pair.simd.info(result.simd)];
    if (JSON.stringify(infoOfSeal) !== JSON.stringify(infoOfSimd) || simd.length !== seal.length) return [[-1, -1]];
    return seal.flatMap((polynomial, k) => polynomial.flatMap((limb, i) => (equal(limb, simd[k]?.[i]) ? [] : [[k, i] as const])));
  } catch (error) {
    if (FORBIDDEN.includes((error as { code?: unknown }).code)) return undefined;
    throw error;
  } finally {
    for (const made of kept) {
      if (made.seal instanceof CiphertextHandle) pair.free(made as Both);
      else pair.freePlain(made as BothPlain);
    }
  }
}
