import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { visibleTokens, withoutShift } from '../src/convert/visible_tokens.js';
import { normaliseRow } from '../src/embedding_norm.js';

const FEATURES = 6;
const row = (value: fc.Arbitrary<number>) =>
  fc.array(value, { minLength: FEATURES, maxLength: FEATURES }).map((all) => Float32Array.from(all));
const gammas = row(fc.oneof(fc.double({ min: 0.2, max: 2, noNaN: true }), fc.double({ min: -2, max: -0.2, noNaN: true }), fc.constant(0)));
const betas = row(fc.double({ min: -3, max: 3, noNaN: true }));
const tokens = row(fc.double({ min: -5, max: 5, noNaN: true })).filter((x) => Math.max(...x) - Math.min(...x) > 0.5);
const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
const shiftOf = (of: ReturnType<typeof visibleTokens>) => of.shift ?? new Float32Array(FEATURES);

describe('visibleTokens', () => {
  test('makes of every token that the client embeds 1', () => {
    fc.assert(
      fc.property(gammas, betas, tokens, (gamma, beta, token) => {
        const visible = visibleTokens({ gamma, beta });
        const shifted = beta.map((value, k) => value + shiftOf(visible)[k]!);
        expect(dot(normaliseRow(token, { gamma, beta: shifted }, 1e-12), visible.kernel)).toBeCloseTo(1, 4);
      }),
    );
  });

  test('amplifies no noise, and moves no token further than by 1', () => {
    fc.assert(
      fc.property(gammas, betas, (gamma, beta) => {
        const visible = visibleTokens({ gamma, beta });
        expect(Math.hypot(...visible.kernel)).toBeLessThan(1 + 1e-6);
        expect(Math.hypot(...shiftOf(visible))).toBeLessThan(1 + 1e-6);
      }),
    );
  });

  test('leaves the embedding as it is where its sum is large', () => {
    expect(visibleTokens({ gamma: Float32Array.of(1, 1), beta: Float32Array.of(-1, -1) })).toEqual({
      kernel: Float32Array.of(-0.5, -0.5),
      shift: undefined,
    });
  });
});

test('withoutShift takes tokens back to where they were', () => {
  fc.assert(
    fc.property(gammas, betas, tokens, (gamma, beta, token) => {
      const visible = visibleTokens({ gamma, beta });
      const shift = shiftOf(visible);
      const moved = normaliseRow(token, { gamma, beta: beta.map((value, k) => value + shift[k]!) }, 1e-12);
      const matrix = withoutShift(visible.kernel, shift);
      const back = shift.map((_, to) => moved.reduce((sum, value, from) => sum + value * matrix[from * FEATURES + to]!, 0));
      normaliseRow(token, { gamma, beta }, 1e-12).forEach((value, k) => {
        expect(back[k]).toBeCloseTo(value, 4);
      });
    }),
  );
});
