import { describe, expect, test } from '@jest/globals';
import { HandWritten } from '../../bench/hand_written.js';
import { createEmptyEngine } from '../../src/engines/empty.js';
import { choosePrimes, createParameters, type Parameters } from '../../src/index.js';
import { type C, openSession } from '../conformance/session.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const DEGREE = 1024;
/** Insecure; just as many levels as a program takes, down to level 1. */
const withDepth = (depth: number): Parameters =>
  createParameters({
    polyModulusDegree: DEGREE,
    coeffModulus: choosePrimes(DEGREE, [50, ...new Array<number>(depth + 1).fill(40), 50]),
    securityBits: 0,
    refreshLevel: 1,
    valueBits: 3,
  });

/** What one of the programs does with its input, on any engine. */
type Body = <Cipher, Plain>(program: HandWritten<Cipher, Plain>, x: Cipher) => Cipher;

/** The rotations of a program, from a run that computes nothing. */
function stepsOf(parameters: Parameters, body: Body): readonly number[] {
  const engine = createEmptyEngine(parameters);
  const program = new HandWritten(engine);
  body(program, engine.load(new Uint8Array(0)));
  return program.galoisSteps;
}

/** Slots of the result of a hand-written program whose input repeats in all slots. */
async function run(name: 'mock' | 'seal', depth: number, x: Float64Array, body: Body): Promise<Float64Array> {
  const parameters = withDepth(depth);
  const session = await openSession(name, undefined, parameters, stepsOf(parameters, body));
  try {
    const values = Float64Array.from({ length: parameters.slots }, (_, slot) => x[slot % x.length]!);
    const result: C = body(new HandWritten(session.engine), session.encrypt(values));
    return session.decrypt(result)!;
  } finally {
    session.close();
  }
}

describe.each(['mock', 'seal'] as const)('the hand-written programs compute on %s what they are compared on', (name) => {
  test('dense', async () => {
    const x = randomValues(16, 1);
    const weights = randomValues(16 * 5, 2);
    const y = await run(name, 1, x, (program, input) => program.dense(input, 16, 5, (row, column) => weights[row * 16 + column]!));
    const expected = Array.from({ length: 5 }, (_, row) => x.reduce((sum, value, column) => sum + value * weights[row * 16 + column]!, 0));
    expect(bitsOfAgreement(y.slice(0, 5), expected)).toBeGreaterThan(15);
  });

  test('attention', async () => {
    const size = name === 'mock' ? { tokens: 4, width: 4, heads: 2 } : { tokens: 2, width: 4, heads: 2 }; // fewer keys
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
    const y = await run(name, 12, packed, (program, input) => program.attention(input, size, weight, [1, 0.5, -0.25, 0.125]));
    expect(
      bitsOfAgreement(
        expected.map((_, e) => y[(e % width) * tokens + Math.floor(e / width)]!),
        expected,
      ),
    ).toBeGreaterThan(10);
  });
});
