import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EMBEDDING_NORM_EPSILON } from '../src/embedding_norm.js';
import { normals, seededRandom } from '../src/random.js';
import { embedTokens } from '../src/text/token_embedding.js';

const VOCABULARY = 10;
const TOKENS = 4;
const FEATURES = 8;
const random = seededRandom(3);
const weights = {
  token: normals(VOCABULARY * FEATURES, 1, random),
  position: normals(TOKENS * FEATURES, 1, random),
  gamma: normals(FEATURES, 1, random),
  beta: normals(FEATURES, 1, random),
};
const tokenIds = fc.array(fc.integer({ min: 1, max: VOCABULARY - 1 }), { maxLength: TOKENS });

describe('embedTokens', () => {
  test('rows of padding are exactly zero', () => {
    fc.assert(
      fc.property(tokenIds, (ids) => {
        const padding = embedTokens(ids, weights).subarray(ids.length * FEATURES);
        expect([...padding].every((value) => Object.is(value, 0))).toBe(true);
      }),
    );
  });

  test('rows are the normalised sum of token and position', () => {
    fc.assert(
      fc.property(tokenIds, (ids) => {
        const embedded = embedTokens(ids, weights);
        ids.forEach((id, row) => {
          const sums = Array.from(
            { length: FEATURES },
            (_, k) => weights.token[id * FEATURES + k]! + weights.position[row * FEATURES + k]!,
          );
          const mean = sums.reduce((a, b) => a + b) / FEATURES;
          const deviation = Math.sqrt(sums.reduce((a, b) => a + (b - mean) ** 2, 0) / FEATURES + EMBEDDING_NORM_EPSILON);
          sums.forEach((value, k) => {
            expect(embedded[row * FEATURES + k]).toBeCloseTo(((value - mean) / deviation) * weights.gamma[k]! + weights.beta[k]!, 4);
          });
        });
      }),
    );
  });
});
