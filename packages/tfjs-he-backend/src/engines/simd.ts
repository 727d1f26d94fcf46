import { CONJUGATION } from '../ring/galois.js';
import { checkMaskSlack, MASK_LIMB_BITS, type MaskSeed, sampleMask } from '../ring/mask.js';
import type { SimdPlaintext } from '../simd/encoder.js';
import { type Limb, limbAt, type Polynomial } from '../simd/limbs.js';
import { fromBytes, toBytes } from '../simd/portable.js';
import { tableAt } from '../simd/tables.js';
import { transformedSum } from '../simd/transformed_sum.js';
import type { SimdCiphertext, Value } from '../simd/value.js';
import type { EvaluationKeyFrames } from '../wire/evaluation_keys.js';
import { claimsFresh } from '../wire/frames.js';
import type { KeyReader } from '../wire/key_reader.js';
import type { Arithmetic, OpObserver, Target } from './arithmetic.js';
import { createCheckedEngine } from './checked_engine.js';
import type { Engine } from './engine.js';
import type { CiphertextHandle, PlaintextHandle } from './handles.js';
import { missingRelinearizationKey, transparent } from './rules.js';
import type { SimdKeys, SimdRuntime } from './simd_runtime.js';

/**
 * Our own evaluator of SEAL's ciphertexts under one client's keys (none: no rotations and products of ciphertexts). Every operation on its own gives SEAL's residues
 * bit for bit (plaintexts are encoded here, so as far as those agree). Where it is faster and no less precise, the order of roundings differs: rotateMany, and
 * sums and plaintext products of rotated or relinearised ciphertexts, which are divided by the special prime together. Plaintexts may be shared between engines
 * of one runtime. close() releases the keys.
 *
 * Results that hide nothing are refused as by SEAL: sums, differences, products with zero, and whatever is saved.
 * @throws HeError WIRE_* when a key frame is not valid, MEMORY_BUDGET. With threads, any operation: WORKER_FAILED once one was lost; handles can still be released.
 */
export function createSimdEngine(
  runtime: SimdRuntime,
  keys: EvaluationKeyFrames | KeyReader | undefined,
  observe?: OpObserver,
): Engine<CiphertextHandle<SimdCiphertext>, PlaintextHandle<SimdPlaintext>> {
  const loaded = keys === undefined ? undefined : runtime.loadKeys(keys);
  return createCheckedEngine(runtime.parameters, simdArithmetic(runtime, loaded), runtime.ledger, observe);
}

function simdArithmetic(runtime: SimdRuntime, keys: SimdKeys | undefined): Arithmetic<SimdCiphertext, SimdPlaintext> {
  const { parameters, heap, kernels, pool, tables, encoder, switcher, rotations, values, frames } = runtime;
  const { polyModulusDegree: degree } = parameters;

  const primeOf = (i: number): number => tableAt(tables, i).prime;
  const read = (c: SimdCiphertext): readonly Polynomial[] => values.settle(c.value);
  const become = (c: SimdCiphertext, polynomials: readonly Polynomial[]): void => {
    values.replace(c, values.create({ polynomials }, polynomials[0]?.length ?? 0, polynomials.length));
  };
  /** New polynomials, made limb by limb from those of `from`. */
  const mapped = (from: readonly Polynomial[], compute: (dst: Limb, src: Limb, i: number, k: number) => void): readonly Polynomial[] =>
    pool.fillPolynomials(from.length, from[0]?.length ?? 0, (made) => {
      made.forEach((polynomial, k) => {
        polynomial.forEach((dst, i) => {
          compute(dst, limbAt(from[k] ?? [], i), i, k);
        });
      });
    });
  /** A change of the first polynomial; the others are shared with the old value. */
  const changeFirst = (c: SimdCiphertext, compute: (dst: Limb, src: Limb, i: number) => void): void => {
    const [first = [], ...others] = read(c);
    become(c, [...mapped([first], compute), ...others.map((polynomial) => pool.hold(polynomial))]);
  };
  const withMask = (c: SimdCiphertext, seed: MaskSeed, kernel: 'add' | 'subtract'): void => {
    checkMaskSlack(parameters);
    const limbs = sampleMask(parameters, seed);
    const radices = limbs.map((_, i) => 2n ** BigInt(MASK_LIMB_BITS * i));
    pool.withScratch(limbs.length + 2, (scratch) => {
      const [mask, spare] = [limbAt(scratch, 0).at, limbAt(scratch, 1).at];
      const digits = scratch.slice(2).map(({ at }) => at);
      digits.forEach((at, i) => {
        heap.doubles(at, degree).set(limbs[i] ?? []);
      });
      changeFirst(c, (dst, src, i) => {
        transformedSum(kernels, degree, tableAt(tables, i), digits, radices, mask, spare);
        kernels[kernel](dst.at, src.at, mask, degree, primeOf(i));
      });
    });
  };
  const savePolynomial = (polynomial: Polynomial): Float64Array[] =>
    pool.withScratch(1, (scratch) =>
      polynomial.map((limb, i) => {
        const { at } = limbAt(scratch, 0);
        kernels.toCanonical(at, limb.at, degree, primeOf(i));
        return heap.doubles(at, degree).slice();
      }),
    );
  /** Whether all polynomials but the first are zero, with what is still to be added left out. */
  const isTransparent = ({ polynomials, extended }: Value): boolean =>
    [polynomials ?? [], extended ?? []].every((part) =>
      part.slice(1).every((polynomial) => polynomial.every(({ at }) => heap.doubles(at, degree).every((residue) => residue === 0))),
    );
  const requireOpaque = (op: string, { value }: SimdCiphertext, to: Target): void => {
    if (isTransparent(value)) throw transparent(op, to);
  };
  const product = (a: SimdCiphertext, b: Value): void =>
    values.replace(a, values.create({ terms: [values.term(a.value, b)] }, a.value.limbs, 3));
  const applyAutomorphism = (a: SimdCiphertext, steps: number): void => {
    const key = keys?.galois.get(steps);
    if (key === undefined) return;
    const [result] = rotations.of(a.value, [key]);
    if (result !== undefined) values.replace(a, result);
  };

  return {
    name: 'simd',
    ciphertextBytes: (level, size) => 8 * degree * (level + 1) * size,
    plaintextBytes: (_level, { limbs, limbBytes }) => limbs.length * limbBytes,
    encode: (slots, level, scale) => encoder.encode(slots, level, scale),
    storePlain: (plaintext) => encoder.store(plaintext),
    clone: (a) => ({ value: values.hold(a.value) }),
    add(acc, b, to) {
      values.replace(acc, values.sum(acc.value, b.value));
      requireOpaque('add', acc, to);
    },
    sub(acc, b, to) {
      const other = read(b);
      become(
        acc,
        mapped(read(acc), (dst, src, i, k) => kernels.subtract(dst.at, src.at, limbAt(other[k] ?? [], i).at, degree, primeOf(i))),
      );
      requireOpaque('sub', acc, to);
    },
    negate: (a) =>
      become(
        a,
        mapped(read(a), (dst, src) => kernels.negate(dst.at, src.at, degree)),
      ),
    addPlain: (acc, { limbs, logRun }) =>
      changeFirst(acc, (dst, src, i) => {
        const b = limbs[i] ?? 0;
        if (logRun === 0) kernels.add(dst.at, src.at, b, degree, primeOf(i));
        else kernels.addRuns(dst.at, src.at, b, logRun, degree, primeOf(i));
      }),
    multiplyPlain(a, plaintext, to) {
      if (plaintext.zero) throw transparent('multiplyPlain', to);
      values.replace(a, values.create({ terms: [values.term(a.value, plaintext)] }, a.value.limbs, a.value.size));
    },
    accumulateProductPlain(acc, a, plaintext, to) {
      if (plaintext.zero) throw transparent('multiplyPlain', to);
      values.accumulate(acc, a.value, plaintext);
    },
    multiply: (a, b) => product(a, b.value),
    accumulateProduct: (acc, a, b) => values.accumulate(acc, a.value, b.value),
    square: (a) => product(a, a.value),
    relinearize(a, to) {
      if (keys === undefined) throw missingRelinearizationKey(to);
      const [c0 = [], c1 = [], c2 = []] = read(a);
      const extended = switcher.switch(c2, keys.relinearization, [{ polynomial: c0 }, { polynomial: c1 }]);
      values.replace(a, values.create({ extended }, to.level + 1, 2));
    },
    rescale: (a) => become(a, values.rescaled(a.value)),
    modSwitch: (a, to) => values.replace(a, values.dropped(a.value, to.level + 1)),
    hasGaloisKey: (steps) => keys?.galois.has(steps) ?? false,
    rotate: (a, steps) => applyAutomorphism(a, steps),
    conjugate: (a) => applyAutomorphism(a, CONJUGATION),
    rotateMany(a, steps) {
      const rotationKeys = steps.flatMap((step) => keys?.galois.get(step) ?? []);
      return rotations.of(a.value, rotationKeys).map((value) => ({ value }));
    },
    addMask: (a, seed) => withMask(a, seed, 'add'),
    subtractMask: (a, seed) => withMask(a, seed, 'subtract'),
    load(bytes, to) {
      const seeded = to.level === parameters.maxLevel && claimsFresh(bytes);
      const { polynomials: residues, seed } = frames.readCiphertext(bytes, to.level, seeded);
      const limbs = to.level + 1;
      const polynomials = pool.fillPolynomials(2, limbs, (made) => {
        for (const [k, polynomial] of made.entries()) {
          if (k === 1 && seed !== undefined) runtime.expander.expand(seed, polynomial);
          for (const [i, { at }] of polynomial.entries()) {
            const sent = residues[k]?.[i];
            if (sent !== undefined) heap.doubles(at, degree).set(sent);
            kernels.toSymmetric(at, at, degree, primeOf(i));
          }
        }
      });
      return { value: values.create({ polynomials }, limbs, 2) };
    },
    save(a, to) {
      const polynomials = read(a);
      requireOpaque('save', a, to);
      return frames.writeCiphertext({ scale: to.scale, polynomials: polynomials.map(savePolynomial) }, to.level);
    },
    toBytes: (a) => toBytes(heap, degree, read(a)),
    fromBytes: (bytes, { level, size }) => ({
      value: values.create({ polynomials: fromBytes(heap, pool, bytes, size, level + 1) }, level + 1, size),
    }),
    free: (a) => values.release(a.value),
    freePlain: (p) => encoder.release(p),
    close() {
      if (keys !== undefined) runtime.releaseKeys(keys);
    },
  };
}
