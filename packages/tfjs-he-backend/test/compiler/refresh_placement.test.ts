import { describe, expect, test } from '@jest/globals';
import { type Circuit, CircuitBuilder, type CircuitValue } from '../../src/compiler/circuit.js';
import { assignLevels, type LeveledCircuit } from '../../src/compiler/levels.js';
import { placeRefreshesByCost } from '../../src/compiler/refresh_placement.js';
import { randomSource } from '../support/random.js';

const OPTIONS = { maxLevel: 4, refreshLevel: 1 };
const PRODUCTS = 8;
const REFRESH_MS = 10;
const ROUND_MS = 20;

/** Products of earlier values, some of them much heavier than others, and what they cost. */
function randomProblem(seed: number): { circuit: Circuit; cost: (leveled: LeveledCircuit) => number } {
  const next = randomSource(seed);
  const builder = new CircuitBuilder();
  builder.add('x', { kind: 'input', name: 'x' });
  const pick = (): CircuitValue => builder.values[Math.floor(next() ** 0.4 * builder.values.length)]!;
  const work = [0];
  for (let i = 0; i < PRODUCTS; i++) {
    builder.add('p', { kind: 'product', a: pick(), b: pick() });
    work.push(next() < 0.3 ? 20 : 1);
  }
  const cost = ({ circuit, level, segment, origin }: LeveledCircuit): number => {
    let total = 0;
    let rounds = 0;
    for (const { id, op } of circuit.values) {
      if (level[id]! < 0) continue;
      if (op.kind === 'refresh') {
        total += REFRESH_MS;
        rounds = Math.max(rounds, segment[id]!);
      } else total += (work[origin[id]!]! * (level[id]! + 2) ** 2) / 4;
    }
    return total + ROUND_MS * rounds;
  };
  return { circuit: { values: builder.values, outputs: [builder.values.at(-1)!] }, cost };
}

/** Over all sets of values refreshed early. */
function bruteForce({ circuit, cost }: ReturnType<typeof randomProblem>): number {
  let best = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 2 ** PRODUCTS; set++) {
    const early = new Set(Array.from({ length: PRODUCTS }, (_, i) => i + 1).filter((id) => (set >> (id - 1)) & 1));
    for (const refreshTogether of [false, true]) best = Math.min(best, cost(assignLevels(circuit, { ...OPTIONS, refreshTogether, early })));
  }
  return best;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;

describe('refresh placement by cost', () => {
  test('is within 3 % of the best of all placements on average, where the last possible moment is 10 % off', () => {
    const problems = Array.from({ length: 40 }, (_, i) => randomProblem(i + 1));
    const best = problems.map(bruteForce);
    const searched = problems.map(({ circuit, cost }, i) => cost(placeRefreshesByCost(circuit, OPTIONS, cost)) / best[i]!);
    const lazy = problems.map(({ circuit, cost }, i) => cost(assignLevels(circuit, { ...OPTIONS, refreshTogether: false })) / best[i]!);
    expect(Math.min(...searched)).toBeGreaterThanOrEqual(1);
    expect(mean(searched)).toBeLessThan(1.03);
    expect(Math.max(...searched)).toBeLessThan(1.25);
    expect(mean(lazy)).toBeGreaterThan(1.1);
  });

  test('a value that is small where it is made is refreshed before it spreads', () => {
    const builder = new CircuitBuilder();
    const x = builder.add('x', { kind: 'input', name: 'x' });
    const squared = builder.add('square', { kind: 'product', a: x, b: x });
    const low = builder.add('fourth', { kind: 'product', a: squared, b: squared });
    // Four values that would all have to be refreshed at the last moment.
    const spread = Array.from({ length: 4 }, (_, i) => builder.add(`sum ${i}`, { kind: 'product', a: low, b: i === 0 ? low : squared }));
    const ends = spread.map((value, i) => builder.add(`end ${i}`, { kind: 'product', a: value, b: value }));
    const circuit = { values: builder.values, outputs: ends };
    const refreshes = (leveled: LeveledCircuit): number =>
      leveled.circuit.values.filter(({ id, op }) => op.kind === 'refresh' && leveled.level[id]! >= 0).length;
    const placed = placeRefreshesByCost(circuit, OPTIONS, refreshes);
    expect(refreshes(placed)).toBeLessThan(refreshes(assignLevels(circuit, { ...OPTIONS, refreshTogether: false })));
  });
});
