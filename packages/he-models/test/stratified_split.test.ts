import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stratifiedSplit } from '../src/data/stratified_split.js';

const examples = fc
  .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 80 })
  .map((labels) => labels.map((label, index) => ({ label, index })));
const labelOf = ({ label }: { label: string }) => label;

describe('stratifiedSplit', () => {
  test('holds out the rounded share of every label', () => {
    fc.assert(
      fc.property(examples, fc.double({ min: 0, max: 1, noNaN: true }), fc.integer(), (all, fraction, seed) => {
        const { dev } = stratifiedSplit(all, labelOf, fraction, seed);
        for (const label of ['a', 'b', 'c']) {
          const total = all.filter((example) => example.label === label).length;
          expect(dev.filter((example) => example.label === label)).toHaveLength(Math.round(total * fraction));
        }
      }),
    );
  });

  test('the parts are disjoint, complete and in order', () => {
    fc.assert(
      fc.property(examples, fc.integer(), (all, seed) => {
        const { train, dev } = stratifiedSplit(all, labelOf, 0.3, seed);
        const indices = (part: readonly { index: number }[]) => part.map(({ index }) => index);
        expect([...indices(train), ...indices(dev)].sort((a, b) => a - b)).toEqual(indices(all));
        for (const part of [indices(train), indices(dev)]) expect(part).toEqual([...part].sort((a, b) => a - b));
      }),
    );
  });

  test('depends on the seed alone', () => {
    const all = Array.from({ length: 100 }, (_, index) => ({ label: 'a', index }));
    expect(stratifiedSplit(all, labelOf, 0.2, 1)).toEqual(stratifiedSplit(all, labelOf, 0.2, 1));
    expect(stratifiedSplit(all, labelOf, 0.2, 1)).not.toEqual(stratifiedSplit(all, labelOf, 0.2, 2));
  });
});
