import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Circuit, CircuitBuilder, type CircuitValue, operandsOf } from '../../src/compiler/circuit.js';
import { assignLevels } from '../../src/compiler/levels.js';
import { randomSource } from '../support/random.js';

const OPTIONS = { maxLevel: 5, refreshLevel: 1, refreshTogether: false };

function randomCircuit(steps: number, seed: number): Circuit {
  const next = randomSource(seed);
  const builder = new CircuitBuilder();
  builder.add('x', { kind: 'input', name: 'x' });
  const pick = (): CircuitValue => builder.values[Math.floor(next() ** 0.4 * builder.values.length)]!;
  for (let i = 0; i < steps; i++) {
    const kind = next();
    if (kind < 0.5) builder.add(`product ${i}`, { kind: 'product', a: pick(), b: pick() });
    else if (kind < 0.75) builder.add(`sum ${i}`, { kind: 'sum', terms: [{ source: pick(), step: 0, coefficient: 1 }], bias: null });
    else
      builder.add(`matmul ${i}`, {
        kind: 'matmul',
        variant: 'scores',
        grid: { tokens: 4, batch: 1, doubled: false },
        a: pick(),
        b: pick(),
      });
  }
  return { values: builder.values, outputs: [builder.values.at(-1)!] };
}

describe('assignLevels', () => {
  for (const refreshTogether of [false, true]) {
    test(`operands are high enough for their users in random circuits (refreshTogether ${refreshTogether})`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 1 << 30 }), (steps, seed) => {
          const { circuit, level, segment, maskOnA } = assignLevels(randomCircuit(steps, seed), { ...OPTIONS, refreshTogether });
          for (const value of circuit.values) {
            const own = level[value.id]!;
            if (own < 0 || value.op.kind === 'refresh') continue;
            expect(own).toBeLessThanOrEqual(OPTIONS.maxLevel);
            const masked = maskOnA.has(value.id) ? [2, 1] : [1, 2];
            for (const [i, operand] of operandsOf(value).entries()) {
              const cost = value.op.kind === 'matmul' ? masked[i]! : value.op.kind === 'product' ? 1 : 0;
              expect(level[operand.id]! - cost).toBeGreaterThanOrEqual(own);
              expect(segment[operand.id]!).toBeLessThanOrEqual(segment[value.id]!);
            }
          }
        }),
      );
    });
  }

  test('a refresh comes one round after its source and leads to the top level', () => {
    const { circuit, level, segment } = assignLevels(randomCircuit(25, 11), OPTIONS);
    const refreshes = circuit.values.filter(({ id, op }) => op.kind === 'refresh' && level[id]! >= 0);
    expect(refreshes.length).toBeGreaterThan(0);
    for (const value of refreshes) {
      expect(level[value.id]).toBe(OPTIONS.maxLevel);
      expect(segment[value.id]).toBe(segment[operandsOf(value)[0]!.id]! + 1);
    }
  });

  test('a chain of products is refreshed once per levels between refreshes', () => {
    const builder = new CircuitBuilder();
    let x = builder.add('x', { kind: 'input', name: 'x' });
    for (let i = 0; i < 9; i++) x = builder.add('p', { kind: 'product', a: x, b: x });
    const { circuit } = assignLevels({ values: builder.values, outputs: [x] }, OPTIONS);
    expect(circuit.values.filter((value) => value.op.kind === 'refresh').length).toBe(2);
  });

  test('values are computed no higher than their users need', () => {
    const builder = new CircuitBuilder();
    const x = builder.add('x', { kind: 'input', name: 'x' });
    const p = builder.add('p', { kind: 'product', a: x, b: x });
    const { level } = assignLevels({ values: builder.values, outputs: [p] }, OPTIONS);
    expect(level[p.id]).toBe(OPTIONS.refreshLevel);
  });

  test('an operation that needs more levels than there are is COMPILE_FAILED', () => {
    const builder = new CircuitBuilder();
    const x = builder.add('x', { kind: 'input', name: 'x' });
    const m = builder.add('scores', { kind: 'matmul', variant: 'scores', grid: { tokens: 4, batch: 1, doubled: false }, a: x, b: x });
    const options = { maxLevel: 2, refreshLevel: 1, refreshTogether: false };
    expect(() => assignLevels({ values: builder.values, outputs: [m] }, options)).toThrow(
      expect.objectContaining({ code: 'COMPILE_FAILED' }),
    );
  });
});
