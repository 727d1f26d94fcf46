import { HeError } from '../errors.js';
import { checkMaskSlack, type MaskSeed, maskResidues } from '../ring/mask.js';
import type { SimdCiphertext } from '../simd/ciphertext.js';
import type { SimdPlaintext } from '../simd/encoder.js';
import { limbAt, tableAt } from '../simd/key_switch.js';
import type { Limb, Polynomial } from '../simd/limbs.js';
import type { EvaluationKeyFrames } from '../wire/evaluation_keys.js';
import { claimsFresh } from '../wire/frames.js';
import { type Arithmetic, createCheckedEngine, type OpObserver, type Target } from './checked_engine.js';
import type { Engine } from './engine.js';
import type { CiphertextHandle, PlaintextHandle } from './handles.js';
import { missingRelinearizationKey, type SimdKeys, type SimdRuntime } from './simd_runtime.js';

/**
 * Our own evaluator of SEAL's ciphertexts under one client's keys (none: no rotations and products of ciphertexts). Results are SEAL's bit for bit; products with
 * plaintexts as far as the plaintexts are, which are encoded here. Plaintexts may be shared between engines of one runtime. close() releases the keys.
 *
 * Unlike SEAL it computes with transparent ciphertexts (a - a, products with zero); only saving one is TRANSPARENT_CIPHERTEXT.
 * @throws HeError WIRE_* when a key frame is not valid, MEMORY_BUDGET.
 */
export function createSimdEngine(
  runtime: SimdRuntime,
  keys: EvaluationKeyFrames | undefined,
  observe?: OpObserver,
): Engine<CiphertextHandle<SimdCiphertext>, PlaintextHandle<SimdPlaintext>> {
  const loaded = keys === undefined ? undefined : runtime.loadKeys(keys);
  return createCheckedEngine(runtime.parameters, simdArithmetic(runtime, loaded), runtime.ledger, observe);
}

function simdArithmetic(runtime: SimdRuntime, keys: SimdKeys | undefined): Arithmetic<SimdCiphertext, SimdPlaintext> {
  const { parameters, heap, kernels, pool, tables, encoder, switcher, sums, frames } = runtime;
  const { polyModulusDegree: degree } = parameters;

  const read = (c: SimdCiphertext): readonly Polynomial[] => sums.settle(c);
  const primeOf = (i: number): number => tableAt(tables, i).prime;
  /** Replaces polynomials; the new ones are held already. */
  const become = (c: SimdCiphertext, polynomials: readonly Polynomial[]): void => {
    sums.release(c);
    c.polynomials = polynomials;
  };
  const held = (c: SimdCiphertext): readonly Polynomial[] => read(c).map((polynomial) => pool.hold(polynomial));
  /** A polynomial changed limb by limb: in place where nobody else holds the limb. */
  const changed = (polynomial: Polynomial, change: (dst: Limb, src: Limb, i: number) => void): Polynomial => {
    const result = polynomial.map((limb, i) => {
      const dst = pool.writable(limb);
      change(dst, limb, i);
      return dst;
    });
    polynomial.forEach((limb, i) => {
      if (result[i] !== limb) limb.holders--;
    });
    return result;
  };
  const eachPolynomial = (c: SimdCiphertext, change: (dst: Limb, src: Limb, i: number, k: number) => void): void => {
    c.polynomials = read(c).map((polynomial, k) => changed(polynomial, (dst, src, i) => change(dst, src, i, k)));
  };
  const firstPolynomial = (c: SimdCiphertext, change: (dst: Limb, src: Limb, i: number) => void): void => {
    c.polynomials = read(c).map((polynomial, k) => (k === 0 ? changed(polynomial, change) : polynomial));
  };
  const combine = (acc: SimdCiphertext, b: SimdCiphertext, kernel: 'add' | 'subtract'): void => {
    const other = read(b);
    eachPolynomial(acc, (dst, src, i, k) => {
      kernels[kernel](dst.at, src.at, limbAt(other[k] ?? [], i).at, degree, primeOf(i));
    });
  };
  const withMask = (c: SimdCiphertext, seed: MaskSeed, level: number, kernel: 'add' | 'subtract'): void => {
    checkMaskSlack(parameters);
    const residues = maskResidues(parameters, runtime.ring, seed, level);
    pool.withScratch(1, (scratch) => {
      const { at } = limbAt(scratch, 0);
      firstPolynomial(c, (dst, src, i) => {
        heap.doubles(at, degree).set(residues[i] ?? []);
        kernels.toSymmetric(at, at, degree, primeOf(i));
        kernels[kernel](dst.at, src.at, at, degree, primeOf(i));
      });
    });
  };
  const loadPolynomial = (residues: readonly Float64Array[]): Polynomial =>
    residues.map((values, i) => {
      const limb = pool.create();
      heap.doubles(limb.at, degree).set(values);
      kernels.toSymmetric(limb.at, limb.at, degree, primeOf(i));
      return limb;
    });
  const expandPolynomial = (seed: Uint8Array, limbs: number): Polynomial => {
    const polynomial = pool.createPolynomial(limbs);
    runtime.expander.expand(seed, polynomial);
    polynomial.forEach(({ at }, i) => {
      kernels.toSymmetric(at, at, degree, primeOf(i));
    });
    return polynomial;
  };
  const savePolynomial = (polynomial: Polynomial): Float64Array[] =>
    pool.withScratch(1, (scratch) =>
      polynomial.map((limb, i) => {
        const { at } = limbAt(scratch, 0);
        kernels.toCanonical(at, limb.at, degree, primeOf(i));
        return heap.doubles(at, degree).slice();
      }),
    );
  const requireOpaque = (c: readonly Polynomial[], to: Target): void => {
    const limbs = c.slice(1).flat();
    if (limbs.some(({ at }) => heap.doubles(at, degree).some((residue) => residue !== 0))) return;
    throw new HeError('TRANSPARENT_CIPHERTEXT', 'the ciphertext hides nothing', {
      op: 'save',
      level: to.level,
      scale: to.scale,
      hint: 'Skip products with all-zero plaintexts and differences of equals.',
    });
  };

  return {
    name: 'simd',
    ciphertextBytes: (level, size) => 8 * degree * (level + 1) * size,
    plaintextBytes: (level, plaintext) => plaintext.limbBytes * (level + 1),
    encode: (values, level, scale) => encoder.encode(values, level, scale),
    clone: (a) => ({ polynomials: held(a), terms: [], limbs: a.limbs, size: a.size }),
    add: (acc, b) => combine(acc, b, 'add'),
    sub: (acc, b) => combine(acc, b, 'subtract'),
    negate: (a) => eachPolynomial(a, (dst, src) => kernels.negate(dst.at, src.at, degree)),
    addPlain(acc, { limbs, logRun }) {
      firstPolynomial(acc, (dst, src, i) => {
        const b = limbs[i] ?? 0;
        if (logRun === 0) kernels.add(dst.at, src.at, b, degree, primeOf(i));
        else kernels.addRuns(dst.at, src.at, b, logRun, degree, primeOf(i));
      });
    },
    multiplyPlain(a, plaintext) {
      const factors = held(a);
      sums.release(a);
      plaintext.holders++;
      sums.push(a, { kind: 'plain', a: factors, plaintext });
    },
    accumulateProductPlain(acc, a, plaintext) {
      const factors = held(a);
      plaintext.holders++;
      sums.push(acc, { kind: 'plain', a: factors, plaintext });
    },
    multiply(a, b) {
      const [left, right] = [held(a), held(b)];
      sums.release(a);
      a.size = 3;
      sums.push(a, { kind: 'cipher', a: left, b: right });
    },
    accumulateProduct(acc, a, b) {
      const [left, right] = [held(a), held(b)];
      sums.push(acc, { kind: 'cipher', a: left, b: right });
    },
    square(a) {
      const [left, right] = [held(a), held(a)];
      sums.release(a);
      a.size = 3;
      sums.push(a, { kind: 'cipher', a: left, b: right });
    },
    relinearize(a, to) {
      if (keys === undefined) throw missingRelinearizationKey(to.level);
      const [c0, c1, c2 = []] = read(a);
      become(a, switcher.switch(c2, keys.relinearization, [c0, c1]));
      a.size = 2;
    },
    rescale(a, to) {
      const level = to.level + 1;
      const inverses = runtime.primeInverses[level] ?? [];
      const table = tableAt(tables, level);
      become(
        a,
        read(a).map((polynomial) =>
          switcher.divideByLast(polynomial.slice(0, level), limbAt(polynomial, level), table, inverses, undefined),
        ),
      );
      a.limbs = level;
    },
    modSwitch(a, to) {
      become(
        a,
        read(a).map((polynomial) => pool.hold(polynomial.slice(0, to.level + 1))),
      );
      a.limbs = to.level + 1;
    },
    hasGaloisKey: (steps) => keys?.galois.has(steps) ?? false,
    rotate(a, steps) {
      const key = keys?.galois.get(steps);
      if (key === undefined) return;
      const [c0, c1 = []] = read(a);
      const switched = switcher.switch(c1, key, [c0, undefined]);
      const rotated = switched.map((polynomial) => polynomial.map((limb) => switcher.permuted(limb, key)));
      for (const polynomial of switched) pool.release(polynomial);
      become(a, rotated);
    },
    addMask: (a, seed, to) => withMask(a, seed, to.level, 'add'),
    subtractMask: (a, seed, to) => withMask(a, seed, to.level, 'subtract'),
    load(bytes, to) {
      const seeded = to.level === parameters.maxLevel && claimsFresh(bytes);
      const { polynomials, seed } = frames.readCiphertext(bytes, to.level, seeded);
      const loaded = polynomials.map(loadPolynomial);
      if (seed !== undefined) loaded.push(expandPolynomial(seed, to.level + 1));
      return { polynomials: loaded, terms: [], limbs: to.level + 1, size: 2 };
    },
    save(a, to) {
      const polynomials = read(a);
      requireOpaque(polynomials, to);
      return frames.writeCiphertext({ scale: to.scale, polynomials: polynomials.map(savePolynomial) }, to.level);
    },
    free: (a) => sums.release(a),
    freePlain: (p) => encoder.release(p),
    close() {
      if (keys !== undefined) runtime.releaseKeys(keys);
    },
  };
}
