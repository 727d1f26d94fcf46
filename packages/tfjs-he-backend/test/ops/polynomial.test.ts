import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import '@tensorflow/tfjs-backend-cpu';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients.
import '@tensorflow/tfjs-layers';
import fc from 'fast-check';
import type { TensorNode } from '../../src/graph/node.js';
import { simplify } from '../../src/graph/simplify.js';
import { compileGraph, evaluateGraph, polynomial, profile, reciprocal, rsqrt, traceFunction } from '../../src/index.js';
import { type Arithmetic, CHEBYSHEV, chebyshevBasis, MONOMIAL } from '../../src/ops/basis.js';
import { chebyshevSeries } from '../../src/ops/chebyshev_series.js';
import { evaluatePolynomial, levelsOfDegree } from '../../src/ops/evaluate_polynomial.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';
import { openPair } from '../support/session.js';

const NUMBERS: Arithmetic<number> = {
  square: (a) => a * a,
  multiply: (a, b) => a * b,
  scale: (a, factor, constant) => factor * a + constant,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
};

/** Levels: products take one, factors other than small integers too. */
const LEVELS: Arithmetic<number> = {
  square: (a) => a + 1,
  multiply: (a, b) => Math.max(a, b) + 1,
  scale: (a, factor) => (Number.isInteger(factor) && Math.abs(factor) <= 4 ? a : a + 1),
  add: Math.max,
  sub: Math.max,
};

const bases = { monomial: MONOMIAL, chebyshev: CHEBYSHEV } as const;
const naive = {
  monomial: (c: readonly number[], u: number) => c.reduce((sum, ck, k) => sum + ck * u ** k, 0),
  chebyshev: (c: readonly number[], u: number) => c.reduce((sum, ck, k) => sum + ck * Math.cos(k * Math.acos(u)), 0),
};

const coefficientLists = fc.array(fc.oneof(fc.constant(0), fc.double({ min: -2, max: 2, noNaN: true })), { minLength: 1, maxLength: 70 });

beforeAll(async () => {
  await tf.setBackend('cpu');
});

describe.each(['monomial', 'chebyshev'] as const)('polynomials in the %s basis', (name) => {
  test('equal the sum of their terms', () => {
    fc.assert(
      fc.property(coefficientLists, fc.double({ min: -1, max: 1, noNaN: true }), (coefficients, u) => {
        const value = evaluatePolynomial(NUMBERS, bases[name], coefficients, u) ?? coefficients[0]!;
        expect(Math.abs(value - naive[name](coefficients, u))).toBeLessThan(1e-9);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test.each(Array.from({ length: 40 }, (_, i) => i + 1))('of degree %d take ceil(log2(degree + 1)) levels', (degree) => {
    const coefficients = Array.from({ length: degree + 1 }, (_, k) => 0.1 + 0.01 * k);
    expect(evaluatePolynomial(LEVELS, bases[name], coefficients, 0)).toBe(levelsOfDegree(degree));
  });
});

test('a scaled Chebyshev basis gives the same values', () => {
  fc.assert(
    fc.property(
      coefficientLists,
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: 0.95, max: 1.05, noNaN: true }),
      (all, u, sigma) => {
        const scaled = all.map((c, k) => c / sigma ** k);
        const value = evaluatePolynomial(NUMBERS, chebyshevBasis(sigma), scaled, sigma * u) ?? all[0]!;
        expect(Math.abs(value - naive.chebyshev(all, u))).toBeLessThan(1e-8);
      },
    ),
    { numRuns: 200, seed: 2 },
  );
});

test.each(Array.from({ length: 40 }, (_, i) => i + 1))('degree %d in a scaled Chebyshev basis takes no level more', (degree) => {
  const coefficients = Array.from({ length: degree + 1 }, (_, k) => 0.1 + 0.01 * k);
  expect(evaluatePolynomial(LEVELS, chebyshevBasis(0.97), coefficients, 0)).toBe(levelsOfDegree(degree));
});

test('degree 63 takes at most 16 products', () => {
  let products = 0;
  const counting: Arithmetic<number> = {
    ...NUMBERS,
    multiply: (a, b) => {
      products++;
      return a * b;
    },
    square: (a) => counting.multiply(a, a),
  };
  evaluatePolynomial(
    counting,
    CHEBYSHEV,
    Array.from({ length: 64 }, () => 0.1),
    0.5,
  );
  expect(products).toBeLessThanOrEqual(16);
});

describe('the kernels', () => {
  const kernels: [string, object][] = [
    ['HePolynomial', { coefficients: [0.1, 0.2, 0.3], basis: 'chebyshev', interval: [0.5, 2] }],
    ['HeReciprocal', { interval: [0.5, 2], bits: 14 }],
    ['HeRsqrt', { interval: [0.5, 2], bits: 14 }],
  ];
  const run = (name: string, attrs: object) => (x: tf.Tensor) => tf.engine().runKernel(name, { x }, attrs as tf.NamedAttrMap) as tf.Tensor;

  test('are registered for the backends of tfjs and for he', () => {
    for (const backend of ['cpu', 'wasm', 'webgl', 'he']) {
      const names = tf.getKernelsForBackend(backend).map(({ kernelName }) => kernelName);
      expect(names).toEqual(expect.arrayContaining(kernels.map(([name]) => name)));
    }
  });

  test.each(kernels)('%s on plaintext of the backend he and encrypted gives what cpu gives', async (name, attrs) => {
    const x = Float32Array.from([0.5, 0.9, 1.3, 2]);
    const expected = run(name, attrs)(tf.tensor1d(x)).dataSync();
    const graph = await traceFunction(
      (t) => tf.add(run(name, attrs)(t as tf.Tensor), run(name, attrs)(tf.tensor1d(x))),
      [{ name: 'x', shape: [4] }],
    );
    const [sum] = evaluateGraph(graph, new Map([['x', x]]));
    expect(
      bitsOfAgreement(
        sum!,
        expected.map((y) => 2 * y),
      ),
    ).toBeGreaterThan(18);
  });

  test('a backend that nobody knew gets them with the first call', async () => {
    tf.registerBackend('another', () => tf.findBackendFactory('cpu')(), 0);
    for (const kernel of tf.getKernelsForBackend('cpu')) {
      if (!kernel.kernelName.startsWith('He')) tf.registerKernel({ ...kernel, backendName: 'another' });
    }
    await tf.setBackend('another');
    try {
      expect(rsqrt(tf.tensor1d([1]), { interval: [0.5, 2] }).dataSync()[0]).toBeCloseTo(1, 3);
    } finally {
      await tf.setBackend('cpu');
      tf.removeBackend('another');
    }
  });

  test.each(kernels)('%s has the gradient of what it computes', (name, attrs) => {
    const f = run(name, attrs);
    const x = [0.7, 1.1, 1.8];
    const gradient = tf
      .grad((t) => f(t))(tf.tensor1d(x))
      .dataSync();
    const h = 2 ** -6;
    const difference = tf.tidy(() => tf.div(tf.sub(f(tf.tensor1d(x.map((t) => t + h))), f(tf.tensor1d(x.map((t) => t - h)))), 2 * h));
    expect(bitsOfAgreement(gradient, difference.dataSync())).toBeGreaterThan(8);
  });

  test('a gradient has a gradient', () => {
    const second = tf.grad(tf.grad((x) => polynomial(x, [1, 2, 3, 4], { basis: 'chebyshev', interval: [0, 2] })))(tf.tensor1d([1.5]));
    // u = x - 1: 2 * 3 T_2'' / 2 + 4 T_3'' = 3 * 4 + 4 * 24 u.
    expect(second.dataSync()[0]).toBeCloseTo(12 + 96 * 0.5, 3);
  });

  test.each([
    ['HePolynomial', { coefficients: [1, 1], basis: 'legendre', interval: [0, 1] }],
    ['HePolynomial', { basis: 'monomial', interval: [0, 1] }],
    ['HeReciprocal', { interval: [1, 2] }],
  ])('%s #%# with attributes that it does not know is PARAMETERS_INVALID', (name, attrs) => {
    expect(() => run(name, attrs)(tf.ones([1]))).toThrow(expect.objectContaining({ code: 'PARAMETERS_INVALID' }));
  });
});

describe('polynomial, reciprocal and rsqrt on plaintext', () => {
  test.each([
    ['reciprocal', reciprocal, (x: number) => 1 / x, [0.1, 3], 12],
    ['reciprocal', reciprocal, (x: number) => 1 / x, [1, 2], 18],
    ['rsqrt', rsqrt, (x: number) => 1 / Math.sqrt(x), [0.05, 4], 12],
    ['rsqrt', rsqrt, (x: number) => 1 / Math.sqrt(x), [2, 40], 15],
  ] as const)('%s #%# is as precise as asked over its interval', (_, op, f, [low, high], bits) => {
    const xs = Float64Array.from({ length: 1001 }, (_, i) => low + ((high - low) * i) / 1000);
    const ys = op(tf.tensor1d([...xs]), { interval: [low, high], bits }).dataSync();
    // Half a bit for float32.
    expect(bitsOfAgreement(ys, xs.map(f))).toBeGreaterThan(bits - 0.5);
  });

  test('another backend computes the same', async () => {
    const wasm = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
    setWasmPaths(`${dirname(wasm)}/wasm-out/`);
    await tf.setBackend('wasm');
    try {
      const y = reciprocal(tf.tensor1d([0.5, 1, 2]), { interval: [0.5, 2], bits: 14 });
      expect(bitsOfAgreement(await y.data(), [2, 1, 0.5])).toBeGreaterThan(13);
    } finally {
      await tf.setBackend('cpu');
    }
  });

  test('a polynomial has a gradient', () => {
    const gradient = tf.grad((x) => polynomial(x, [1, 2, 3, 4]))(tf.tensor1d([0.5, -1]));
    expect([...gradient.dataSync()]).toEqual([2 + 3 + 3, 2 - 6 + 12]);
  });

  test('a constant polynomial has the shape of its input', () => {
    const y = polynomial(tf.zeros([2, 3]), [0.5, 0]);
    expect([y.shape, [...y.dataSync()]]).toEqual([[2, 3], new Array(6).fill(0.5)]);
  });

  test('keeps no intermediate tensor', () => {
    const x = tf.tensor1d([1, 2]);
    const before = tf.memory().numTensors;
    reciprocal(x, { interval: [1, 2] }).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  test.each([
    ['a coefficient', () => polynomial(tf.ones([1]), [1, Number.NaN])],
    ['an interval', () => polynomial(tf.ones([1]), [1, 1], { basis: 'chebyshev', interval: [1, 1] })],
    ['an interval that is not positive', () => reciprocal(tf.ones([1]), { interval: [0, 1] })],
    ['bits', () => rsqrt(tf.ones([1]), { interval: [1, 2], bits: 0 })],
    ['a degree above 511', () => reciprocal(tf.ones([1]), { interval: [1e-6, 1], bits: 20 })],
  ])('%s out of range is PARAMETERS_INVALID', (_, body) => {
    expect(body).toThrow(expect.objectContaining({ code: 'PARAMETERS_INVALID' }));
  });
});

describe('polynomials of encrypted tensors', () => {
  const depthOf = (node: TensorNode): number =>
    node.kind === 'input'
      ? 0
      : node.kind === 'affine'
        ? Math.max(...node.terms.map(({ map, source }) => depthOf(source) + (map.value.every((v) => Number.isInteger(v)) ? 0 : 1)))
        : Math.max(depthOf(node.a), depthOf(node.b)) + 1;

  test.each([3, 7, 15, 31])('degree %d is recorded in the fewest levels', async (degree) => {
    const coefficients = randomValues(degree + 1, degree);
    const graph = await traceFunction(
      (x) => polynomial(x as tf.Tensor, [...coefficients], { basis: 'chebyshev' }),
      [{ name: 'x', shape: [4] }],
    );
    expect(depthOf(simplify(graph)[0]!)).toBe(levelsOfDegree(degree));
  });

  const levelsOf = async (body: (x: tf.Tensor) => tf.Tensor): Promise<number> => {
    const graph = await traceFunction((x) => body(x as tf.Tensor), [{ name: 'x', shape: [4] }]);
    return depthOf(simplify(graph)[0]!);
  };
  const cubic = (x: tf.Tensor, interval: [number, number]) => polynomial(x, [0.1, 0.3, 0.2, 0.4], { basis: 'chebyshev', interval });

  test.each<[string, [number, number], number]>([
    ['a shift', [1, 3], 2],
    ['twice and a shift', [0.5, 1.5], 2],
    ['nearly a shift', [0.4, 2.6], 2],
    ['nearly three times', [0, 0.6], 2],
    ['no small whole number of times', [2, 40], 3],
  ])('an input whose interval is mapped by %s takes %# levels', async (_, interval, levels) => {
    expect(await levelsOf((x) => cubic(x, interval))).toBe(levels);
  });

  test('a product takes no level more when a factor of it can carry the map', async () => {
    const w = tf.tensor1d([...randomValues(4, 5)]);
    expect(await levelsOf((x) => cubic(tf.mul(tf.mul(x, w), x), [2, 40]))).toBe(2 + 2);
    expect(await levelsOf((x) => cubic(tf.square(tf.mul(x, w)), [2, 40]))).toBe(2 + 2);
  });

  test.each<[number, [number, number]]>([
    [15, [0.4, 2.3]],
    [7, [0.12, 0.6]],
  ])('degree %d without a level for its interval loses at most two bits', async (degree, interval) => {
    const coefficients = [...randomValues(degree + 1, degree)];
    const [low, high] = interval;
    const x = Float64Array.from({ length: 64 }, (_, i) => low + ((high - low) * i) / 63);
    const exact = x.map((t) => naive.chebyshev(coefficients, Math.max(-1, Math.min(1, (2 * t - low - high) / (high - low)))));
    const bits = async (body: (t: tf.Tensor) => tf.Tensor): Promise<[number, number]> => {
      const graph = await traceFunction((t) => body(t as tf.Tensor), [{ name: 'x', shape: [64] }]);
      const program = compileGraph(graph, { polyModulusDegrees: [16384] });
      const pair = await openPair(program, 'mock');
      try {
        return [bitsOfAgreement(await pair.infer(x), exact), profile(program).depth];
      } finally {
        pair.dispose();
      }
    };
    const factor = 2 / (high - low);
    const [folded, depth] = await bits((t) => polynomial(t, coefficients, { basis: 'chebyshev', interval }));
    const [scaled, deeper] = await bits((t) =>
      polynomial(tf.sub(tf.mul(t, factor), (factor * (low + high)) / 2), coefficients, { basis: 'chebyshev' }),
    );
    expect(depth).toBe(levelsOfDegree(degree));
    expect(deeper).toBe(depth + 1);
    expect(folded).toBeGreaterThan(scaled - 2);
  });

  test('the map of an interval is folded into the linear operation before it', async () => {
    const weights = tf.tensor2d([...randomValues(16, 3)], [4, 4]);
    const coefficients = chebyshevSeries('reciprocal', (x) => 1 / x, [0.3, 2.5], 12);
    const graph = await traceFunction(
      (x) => reciprocal(tf.matMul(x as tf.Tensor2D, weights), { interval: [0.3, 2.5], bits: 12 }),
      [{ name: 'x', shape: [2, 4] }],
    );
    expect(depthOf(simplify(graph)[0]!)).toBe(1 + levelsOfDegree(coefficients.length - 1));
  });

  test('the reciprocal of a linear map runs on mock as precisely as asked', async () => {
    const weights = tf.tensor2d([...randomValues(16, 3, 0.2)], [4, 4]);
    const body = (x: tf.Tensor) => reciprocal(tf.add(tf.matMul(x, weights), 1), { interval: [0.2, 1.8], bits: 12 });
    const x = randomValues(4, 4);
    const exact = tf.div(1, tf.add(tf.matMul(tf.tensor2d([...x], [1, 4]), weights), 1)).dataSync();
    const program = compileGraph(await traceFunction((t) => body(t as tf.Tensor), [{ name: 'x', shape: [1, 4] }]), {
      polyModulusDegrees: [16384],
    });
    const pair = await openPair(program, 'mock');
    try {
      expect(bitsOfAgreement(await pair.infer(x), exact)).toBeGreaterThan(11);
    } finally {
      pair.dispose();
    }
    expect(profile(program).refreshes).toBe(0);
  });

  test('the tensor graph of rsqrt equals 1 / sqrt', async () => {
    const x = Float64Array.from([0.5, 1, 1.7, 3]);
    const graph = await traceFunction((t) => rsqrt(t as tf.Tensor, { interval: [0.5, 3], bits: 20 }), [{ name: 'x', shape: [4] }]);
    expect(
      bitsOfAgreement(
        evaluateGraph(graph, new Map([['x', x]]))[0]!,
        x.map((t) => 1 / Math.sqrt(t)),
      ),
    ).toBeGreaterThan(20);
  });
});
