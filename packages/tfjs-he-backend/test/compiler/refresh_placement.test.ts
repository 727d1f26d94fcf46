import { describe, expect, test } from '@jest/globals';
import { type Circuit, CircuitBuilder, type CircuitValue, operandsOf } from '../../src/compiler/circuit.js';
import { placementMs } from '../../src/compiler/circuit_cost.js';
import { assignLevels, type LeveledCircuit } from '../../src/compiler/levels.js';
import type { PlacementCosts } from '../../src/compiler/placement_costs.js';
import { placeRefreshesByCost } from '../../src/compiler/refresh_placement.js';
import { RefreshSearch } from '../../src/compiler/refresh_search.js';
import { randomSource } from '../support/random.js';

const OPTIONS = { maxLevel: 4, refreshLevel: 1 };

interface Problem {
  readonly circuit: Circuit;
  readonly costs: PlacementCosts;
}

/** Values some of which are much heavier than others. */
function problem(builder: CircuitBuilder, next: () => number): Problem {
  const work = builder.values.map(({ op }) => (op.kind === 'input' ? 0 : next() < 0.3 ? 20 : 1));
  const costs = { valueMs: (id: number, level: number) => (work[id]! * (level + 2) ** 2) / 4, refreshMs: 10, roundMs: 20 };
  return { circuit: { values: builder.values, outputs: [builder.values.at(-1)!] }, costs };
}

/** Products of earlier values, recent ones mostly. */
function randomGraph(seed: number, products: number): Problem {
  const next = randomSource(seed);
  const builder = new CircuitBuilder();
  builder.add('x', { kind: 'input', name: 'x' });
  const pick = (): CircuitValue => builder.values[Math.floor(next() ** 0.4 * builder.values.length)]!;
  for (let i = 0; i < products; i++) builder.add('p', { kind: 'product', a: pick(), b: pick() });
  return problem(builder, next);
}

/** Squares, sums with themselves and blocks with a residual branch, one after another: of two values that meet again, and nothing else crosses. */
function seriesParallel(seed: number, steps: number): Problem {
  const next = randomSource(seed);
  const builder = new CircuitBuilder();
  let x = builder.add('x', { kind: 'input', name: 'x' });
  const square = (a: CircuitValue): CircuitValue => builder.add('square', { kind: 'product', a, b: a });
  for (let i = 0; i < steps; i++) {
    const kind = next();
    if (kind < 0.5) x = square(x);
    else if (kind < 0.75) x = builder.add('product', { kind: 'product', a: square(x), b: x });
    else {
      const term = { step: 0, coefficient: 1 };
      x = builder.add('sum', {
        kind: 'sum',
        terms: [
          { ...term, source: square(square(x)) },
          { ...term, source: x },
        ],
        bias: null,
      });
    }
  }
  return problem(builder, next);
}

const chain = (seed: number, length: number): Problem => {
  const builder = new CircuitBuilder();
  let x = builder.add('x', { kind: 'input', name: 'x' });
  for (let i = 0; i < length; i++) x = builder.add('square', { kind: 'product', a: x, b: x });
  return problem(builder, randomSource(seed));
};

/** Over all ways in which every value can take each of its operands, as it is or refreshed. */
function bruteForce({ circuit, costs }: Problem): number {
  const uses = circuit.values.flatMap((user) =>
    [...new Set(operandsOf(user))].filter(({ op }) => op.kind !== 'input').map(({ id }) => ({ user: user.id, id })),
  );
  let best = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 2 ** uses.length; set++) {
    const fresh = new Map<number, Set<number>>(circuit.values.map(({ id }) => [id, new Set()]));
    uses.forEach(({ user, id }, i) => {
      if ((set >> i) & 1) fresh.get(user)!.add(id);
    });
    best = Math.min(
      best,
      placementMs(assignLevels(circuit, { ...OPTIONS, refreshTogether: false, placement: { fresh, maskOnA: new Set() } }), costs),
    );
  }
  return best;
}

const placedMs = ({ circuit, costs }: Problem): number => placementMs(placeRefreshesByCost(circuit, OPTIONS, costs), costs);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
const seeds = Array.from({ length: 30 }, (_, i) => i + 1);

describe('refresh placement by cost', () => {
  test.each([
    ['chains', (seed: number) => chain(seed, 9)],
    ['series-parallel circuits', (seed: number) => seriesParallel(seed, 5)],
    ['random circuits', (seed: number) => randomGraph(seed, 5)],
  ])('is the best of all placements in %s', (_, make) => {
    for (const seed of seeds) {
      const one = make(seed);
      expect(placedMs(one)).toBeCloseTo(bruteForce(one), 9);
    }
  });

  test('is a tenth better than the last possible moment in random circuits on average, and never worse', () => {
    const gains = seeds.map((seed) => {
      const one = randomGraph(seed, 12);
      const lazy = placementMs(assignLevels(one.circuit, { ...OPTIONS, refreshTogether: false }), one.costs);
      return lazy / placedMs(one);
    });
    expect(Math.min(...gains)).toBeGreaterThanOrEqual(1);
    expect(mean(gains)).toBeGreaterThan(1.1);
  });

  test('a circuit with cuts too wide to go through all of them is placed all the same, no worse than lazily', () => {
    const builder = new CircuitBuilder();
    const x = builder.add('x', { kind: 'input', name: 'x' });
    const wide = Array.from({ length: 9 }, (_, i) => {
      let value = x;
      for (let depth = 0; depth < 3 + (i % 3); depth++) value = builder.add(`${i}`, { kind: 'product', a: value, b: value });
      return value;
    });
    builder.add('sum', { kind: 'sum', terms: wide.map((source) => ({ source, step: 0, coefficient: 1 })), bias: null });
    const one = problem(builder, randomSource(1));
    const lazy = placementMs(assignLevels(one.circuit, { ...OPTIONS, refreshTogether: false }), one.costs);
    expect(placedMs(one)).toBeLessThanOrEqual(lazy);
  });

  test('costs placements in its local searches as the leveled circuits come out', () => {
    for (const seed of seeds) {
      const { circuit, costs } = randomGraph(seed, 20);
      const search = new RefreshSearch(circuit, OPTIONS, costs);
      for (const together of [false, true]) {
        const byValue = search.byValue(together);
        const byUse = search.byUse(byValue.placement);
        for (const { placement, cost } of [byValue, byUse]) {
          expect(cost).toBeCloseTo(placementMs(assignLevels(circuit, { ...OPTIONS, refreshTogether: false, placement }), costs), 9);
        }
        expect(byValue.cost).toBeLessThanOrEqual(placementMs(assignLevels(circuit, { ...OPTIONS, refreshTogether: together }), costs));
        expect(byUse.cost).toBeLessThanOrEqual(byValue.cost);
      }
    }
  });

  test('takes more rounds only where they save more than they are weighted by', () => {
    const roundsOf = ({ circuit, level, segment }: LeveledCircuit): number =>
      Math.max(0, ...circuit.values.map(({ id, op }) => (op.kind === 'refresh' && level[id]! >= 0 ? segment[id]! : 0)));
    let fewer = 0;
    for (const seed of seeds) {
      const { circuit, costs } = randomGraph(seed, 12);
      const free = placeRefreshesByCost(circuit, OPTIONS, costs);
      const most = roundsOf(assignLevels(circuit, { ...OPTIONS, refreshTogether: false }));
      const bound = placeRefreshesByCost(circuit, OPTIONS, { ...costs, rounds: { most, factor: 1.5 } });
      if (roundsOf(bound) > most)
        expect(1.5 * placementMs(bound, costs)).toBeLessThan(
          placementMs(assignLevels(circuit, { ...OPTIONS, refreshTogether: false }), costs),
        );
      if (roundsOf(bound) < roundsOf(free)) fewer++;
    }
    expect(fewer).toBeGreaterThan(0);
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
    const placed = placeRefreshesByCost(circuit, OPTIONS, { valueMs: () => 0, refreshMs: 1, roundMs: 0 });
    expect(refreshes(placed)).toBeLessThan(refreshes(assignLevels(circuit, { ...OPTIONS, refreshTogether: false })));
  });
});
