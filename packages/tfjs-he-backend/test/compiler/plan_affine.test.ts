import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { candidateFolds, type DiagonalTerm, diagonalTerms, type Fold, stepsByFold } from '../../src/compiler/diagonals.js';
import { planAffine } from '../../src/compiler/plan_affine.js';
import { featureMajor, type SlotLayout, strided } from '../../src/compiler/slot_layout.js';
import { applyMap, buildMap, identity } from '../../src/graph/linear_map.js';
import { sizeOf } from '../../src/graph/node.js';
import { randomMap, seeds } from '../support/maps.js';
import { bitsOfAgreement, randomValues } from '../support/random.js';

const SLOTS = 64;

function spread(values: ArrayLike<number>, layout: SlotLayout): Float64Array {
  const slots = new Float64Array(SLOTS);
  layout.slotOf.forEach((slot, e) => {
    for (let s = slot; s < SLOTS; s += layout.period) slots[s] = values[e]!;
  });
  return slots;
}

function rotate(x: Float64Array, steps: number): Float64Array {
  return x.map((_, s) => x[(s + steps) % SLOTS]!);
}

/** Naive execution of diagonals and fold on plain slots. */
function execute(terms: readonly DiagonalTerm[], sources: readonly Float64Array[], fold: Fold | null): Float64Array {
  let y = new Float64Array(SLOTS);
  terms.forEach((term, i) => {
    for (const [step, diagonal] of term.diagonals) {
      const rotated = rotate(sources[i]!, step);
      for (let s = 0; s < SLOTS; s++) y[s]! += diagonal[s % term.period]! * rotated[s]!;
    }
  });
  for (let stride = fold?.stride ?? 0, copies = 1; fold !== null && copies < fold.copies; copies *= 2, stride *= 2) {
    const moved = rotate(y, stride);
    y = y.map((v, s) => v + moved[s]!);
  }
  return y;
}

const shapes = fc.constantFrom([4, 4], [2, 8], [8, 2], [3, 5], [1, 7], [2, 2, 4], [16, 1]);

describe('affine plans', () => {
  test('diagonals with any possible fold compute the map between any layouts', () => {
    fc.assert(
      fc.property(shapes, shapes, seeds, fc.constantFrom(0.1, 0.5, 1), (from, to, seed, density) => {
        const map = randomMap(sizeOf(to), sizeOf(from), density, seed);
        const layout = featureMajor(from);
        const out = featureMajor(to);
        const x = randomValues(sizeOf(from), seed + 1);
        const expected = applyMap(map, x);
        for (const fold of [null, ...candidateFolds([{ map, layout }], out)]) {
          const terms = diagonalTerms([{ map, layout }], out, fold);
          expect(stepsByFold([{ map, layout }], out).of(fold) === null).toBe(terms === null);
          if (terms === null) continue;
          const y = execute(terms, [spread(x, layout)], fold);
          expect(
            bitsOfAgreement(
              [...out.slotOf].map((slot) => y[slot]!),
              expected,
            ),
          ).toBeGreaterThan(40);
        }
      }),
      { examples: [[[1, 7], [3, 5], 4, 0.1]] },
    );
  });

  test('without a fold or with a cyclic one the result repeats with the period of its layout', () => {
    const map = randomMap(4, 32, 1, 9);
    const layout = featureMajor([4, 8]);
    const out = featureMajor([4, 1]);
    const plan = planAffine([{ map, layout }], out);
    expect(plan.fold?.cyclic).toBe(true);
    const y = execute(plan.terms, [spread(randomValues(32, 3), layout)], plan.fold);
    expect(bitsOfAgreement(rotate(y, out.period), y)).toBeGreaterThan(40);
  });

  test('a sum over features is rotations only, no product', () => {
    const map = buildMap(4, 32, (t, emit) => {
      for (let f = 0; f < 8; f++) emit(t * 8 + f, 1);
    });
    const plan = planAffine([{ map, layout: featureMajor([4, 8]) }], featureMajor([4, 1]));
    expect(plan.free).not.toBeNull();
    expect(plan.cost).toBe(3);
  });

  test('a broadcast over features costs nothing', () => {
    const map = buildMap(32, 4, (element, emit) => emit(Math.floor(element / 8), 1));
    const plan = planAffine([{ map, layout: featureMajor([4, 1]) }], featureMajor([4, 8]));
    expect(plan.free).toEqual([{ term: 0, step: 0, coefficient: 1 }]);
  });

  test('a dense map on features has one diagonal per feature', () => {
    const weights = randomValues(64, 2);
    const map = buildMap(32, 32, (row, emit) => {
      const token = Math.floor(row / 8);
      for (let f = 0; f < 8; f++) emit(token * 8 + f, weights[f * 8 + (row % 8)]!);
    });
    const plan = planAffine([{ map, layout: featureMajor([4, 8]) }], featureMajor([4, 8]));
    expect(plan.terms[0]?.diagonals.size).toBe(8);
  });

  test('mean pooling with a dense head folds over tokens instead of taking a diagonal per element', () => {
    const weights = randomValues(8 * 5, 2);
    const map = buildMap(5, 32, (row, emit) => {
      for (let e = 0; e < 32; e++) emit(e, weights[(e % 8) * 5 + row]! / 4);
    });
    const layout = featureMajor([4, 8]);
    const plan = planAffine([{ map, layout }], strided(5, 4));
    expect(plan.fold).toEqual({ stride: 1, copies: 4, cyclic: false });
    expect(plan.terms[0]?.diagonals.size).toBeLessThanOrEqual(8);
  });

  test('doubling is an addition', () => {
    const double = { ...identity(16), value: new Float64Array(16).fill(2) };
    expect(planAffine([{ map: double, layout: featureMajor([4, 4]) }], featureMajor([4, 4])).free).toEqual([
      { term: 0, step: 0, coefficient: 2 },
    ]);
  });
});
