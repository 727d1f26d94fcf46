import { describe, expect, test } from '@jest/globals';
import { HandWritten } from '../../bench/hand_written.js';
import { createMockEngine, type MockCiphertext, type MockPlaintext } from '../../src/engines/mock.js';
import { choosePrimes, createParameters } from '../../src/index.js';
import { createMockFrames } from '../../src/wire/mock_frames.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const DEGREE = 1024;
const parameters = createParameters({
  polyModulusDegree: DEGREE,
  coeffModulus: choosePrimes(DEGREE, [50, ...new Array<number>(14).fill(40), 50]),
  securityBits: 0,
  refreshLevel: 1,
});
const { slots, maxLevel } = parameters;

/** Slots of the result of a hand-written program whose input repeats in all slots. */
function run(
  x: Float64Array,
  body: (program: HandWritten<MockCiphertext, MockPlaintext>, x: MockCiphertext) => MockCiphertext,
): Float64Array {
  const steps = Array.from({ length: slots }, (_, step) => step);
  const engine = createMockEngine(parameters, steps);
  const values = Float64Array.from({ length: slots }, (_, slot) => x[slot % x.length]!);
  return body(new HandWritten(engine), engine.load(createMockFrames(parameters).frameCiphertext({ values }, maxLevel))).read('test').values;
}

describe('the hand-written programs compute what they are compared on', () => {
  test('dense', () => {
    const x = randomValues(16, 1);
    const weights = randomValues(16 * 5, 2);
    const y = run(x, (program, input) => program.dense(input, 16, 5, (row, column) => weights[row * 16 + column]!));
    const expected = Array.from({ length: 5 }, (_, row) => x.reduce((sum, value, column) => sum + value * weights[row * 16 + column]!, 0));
    expect(bitsOfAgreement(y.slice(0, 5), expected)).toBeGreaterThan(15);
  });

  test('attention', () => {
    const size = { tokens: 4, width: 4, heads: 2 };
    const { tokens, width, heads } = size;
    const headWidth = width / heads;
    const weights = [1, 2, 3, 4].map((seed) => randomValues(width * width, seed, 0.5));
    const weight = (kernel: number, row: number, column: number): number => weights[kernel]![row * width + column]!;
    const x = randomValues(tokens * width, 9);
    const project = (kernel: number, t: number, column: number): number =>
      Array.from({ length: width }, (_, f) => x[t * width + f]! * weight(kernel, f, column)).reduce((a, b) => a + b);
    const mixed = (t: number, column: number): number => {
      const first = Math.floor(column / headWidth) * headWidth;
      const powers = Array.from({ length: tokens }, (_, j) => {
        let score = 0;
        for (let c = first; c < first + headWidth; c++) score += project(0, t, c) * project(1, j, c);
        return score ** 4;
      });
      const u = (0.9 * powers.reduce((a, b) => a + b)) / tokens - 1.2;
      return powers.reduce((sum, power, j) => sum + power * project(2, j, column), 0) * (1 + 0.5 * u - 0.25 * u ** 2 + 0.125 * u ** 3);
    };
    const expected = Array.from({ length: tokens * width }, (_, e) =>
      Array.from({ length: width }, (_, column) => mixed(Math.floor(e / width), column) * weight(3, column, e % width)).reduce(
        (a, b) => a + b,
      ),
    );
    // Element [t, f] at slot f T + t.
    const packed = Float64Array.from({ length: width * tokens }, (_, slot) => x[(slot % tokens) * width + Math.floor(slot / tokens)]!);
    const y = run(packed, (program, input) => program.attention(input, size, weight, [1, 0.5, -0.25, 0.125]));
    expect(
      bitsOfAgreement(
        expected.map((_, e) => y[(e % width) * tokens + Math.floor(e / width)]!),
        expected,
      ),
    ).toBeGreaterThan(10);
  });
});
