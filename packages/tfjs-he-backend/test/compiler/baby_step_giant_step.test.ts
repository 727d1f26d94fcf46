import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planBabyStepGiantStep } from '../../src/compiler/baby_step_giant_step.js';

const periods = fc.constantFrom(8, 32, 64, 256);

describe('baby-step giant-step', () => {
  test('every step is offset + stride * (giant * babies + baby) within the schedule', () => {
    fc.assert(
      fc.property(
        periods.chain((period) =>
          fc.tuple(fc.constant(period), fc.uniqueArray(fc.nat({ max: period - 1 }), { minLength: 1, maxLength: 40 })),
        ),
        ([period, steps]) => {
          const plan = planBabyStepGiantStep(steps, period);
          for (const step of steps) {
            const position = ((step - plan.offset + period) % period) / plan.stride;
            expect(Number.isInteger(position)).toBe(true);
            expect(Math.floor(position / plan.babies)).toBeLessThan(plan.giants);
          }
        },
      ),
    );
  });

  test('64 consecutive diagonals take 14 rotations', () => {
    const plan = planBabyStepGiantStep(
      Array.from({ length: 64 }, (_, i) => 32 * i),
      2048,
    );
    expect(plan).toMatchObject({ offset: 0, stride: 32, rotations: 14 });
  });

  test('steps around zero start from one negative offset', () => {
    const plan = planBabyStepGiantStep(
      Array.from({ length: 63 }, (_, i) => (i - 31 + 2048) % 2048),
      2048,
    );
    expect(plan.rotations).toBeLessThanOrEqual(16);
  });

  test('a single step is one rotation, step 0 none', () => {
    expect(planBabyStepGiantStep([5], 64).rotations).toBe(1);
    expect(planBabyStepGiantStep([0], 64).rotations).toBe(0);
  });
});
