import { BUG_HINT, HeError } from '../errors.js';
import { type Circuit, type CircuitOp, type CircuitValue, operandsOf } from './circuit.js';

/** A circuit with refreshes in place, and for every value where and at what level it is computed. */
export interface LeveledCircuit {
  readonly circuit: Circuit;
  /** Level of the value; by value id. */
  readonly level: readonly number[];
  /** Number of refresh rounds that precede the value; by value id. */
  readonly segment: readonly number[];
  /** The value of the circuit before, by value id; -1 for refreshes. */
  readonly origin: readonly number[];
  /** Matmuls with masks (by id) that carry them on operand a; the others have them on b. */
  readonly maskOnA: ReadonlySet<number>;
}

export interface LevelOptions {
  readonly maxLevel: number;
  readonly refreshLevel: number;
  /**
   * When an operand has to wait for a refresh round anyway, also refresh the other operands that would hold the result down. Costs
   * ciphertexts per round, may save rounds.
   */
  readonly refreshTogether: boolean;
  /** Instead of all that: exactly these. */
  readonly placement?: Placement;
}

/** Which values take which operands refreshed, by their ids in the circuit; and masked matmuls that have the masks on a. */
export interface Placement {
  readonly fresh: ReadonlyMap<number, ReadonlySet<number>>;
  readonly maskOnA: ReadonlySet<number>;
}

/** Levels an operand must be above the result. */
type Costs = readonly number[];

/**
 * Pass: places refreshes and assigns levels. Forward, in order: a value is refreshed at the last moment, when a user would fall below the
 * refresh level (rounds are minimal for chains), and an output that is kept for the next run, unless it is at the top. Backward: every value is computed at the lowest level its users need, since a rotation
 * costs in proportion to the square of the primes left.
 * @throws HeError COMPILE_FAILED when a single operation needs more levels than lie between two refreshes.
 */
export function assignLevels(circuit: Circuit, options: LevelOptions): LeveledCircuit {
  const forward = placeRefreshes(circuit, options);
  const level = lowestLevels(forward, options);
  return { circuit: forward.circuit, level, segment: forward.segment, origin: forward.origin, maskOnA: forward.maskOnA };
}

interface Forward {
  readonly circuit: Circuit;
  readonly segment: number[];
  readonly origin: number[];
  readonly maskOnA: ReadonlySet<number>;
}

function placeRefreshes(circuit: Circuit, { maxLevel, refreshLevel, refreshTogether, placement }: LevelOptions): Forward {
  const values: CircuitValue[] = [];
  const available: number[] = [];
  const segment: number[] = [];
  const origin: number[] = [];
  const maskOnA = new Set<number>();
  const moved = new Map<CircuitValue, CircuitValue>();
  const refreshed = new Map<CircuitValue, CircuitValue>();

  const append = (label: string, op: CircuitOp, level: number, round: number, from: number): CircuitValue => {
    const value = { id: values.length, label, op };
    values.push(value);
    origin.push(from);
    available.push(level);
    segment.push(round);
    return value;
  };
  const levelOf = (value: CircuitValue): number => available[value.id] ?? 0;
  const roundOf = (value: CircuitValue): number => segment[value.id] ?? 0;
  const refresh = (value: CircuitValue): CircuitValue => {
    if (value.op.kind === 'refresh' || value.op.kind === 'input') return value;
    let fresh = refreshed.get(value);
    if (fresh === undefined) {
      fresh = append(value.label, { kind: 'refresh', source: value }, maxLevel, roundOf(value) + 1, -1);
      refreshed.set(value, fresh);
    }
    return fresh;
  };

  for (const value of circuit.values) {
    let operands = operandsOf(value).map((operand) => moved.get(operand) ?? operand);
    if (operands.length === 0) {
      moved.set(value, append(value.label, value.op, maxLevel, 0, value.id));
      continue;
    }
    const taken = placement?.fresh.get(value.id);
    if (taken !== undefined) operands = operands.map((operand) => (taken.has(origin[operand.id] ?? -1) ? refresh(operand) : operand));
    const costsOf = (): Costs =>
      (placement === undefined ? undefined : operandCostVariants(value.op).find(([a]) => (a === 2) === placement.maskOnA.has(value.id))) ??
      operandCosts(value.op, operands.map(levelOf));
    let costs = costsOf();
    operands = operands.map((operand, i) => (levelOf(operand) - (costs[i] ?? 0) < refreshLevel ? refresh(operand) : operand));
    if (refreshTogether) {
      const round = Math.max(...operands.map(roundOf));
      const best = Math.max(...operands.map((operand, i) => levelOf(operand) - (costs[i] ?? 0)));
      operands = operands.map((operand, i) =>
        roundOf(operand) < round && levelOf(operand) - (costs[i] ?? 0) < best ? refresh(operand) : operand,
      );
    }
    costs = costsOf();
    const result = Math.min(...operands.map((operand, i) => levelOf(operand) - (costs[i] ?? 0)));
    if (result < refreshLevel) {
      throw new HeError('COMPILE_FAILED', `'${value.label}' needs ${maxLevel - result} levels between two refreshes`, {
        op: value.op.kind,
        level: maxLevel,
        hint: 'Allow a larger ring degree, or ask for less precision so that primes are smaller.',
      });
    }
    const op = withOperands(value.op, operands);
    const placed = append(value.label, op, result, Math.max(...operands.map(roundOf)), value.id);
    if (op.kind === 'matmul' && costs[0] === 2) maskOnA.add(placed.id);
    moved.set(value, placed);
  }
  const outputs = circuit.outputs.map((output, i) => {
    const placed = moved.get(output) ?? output;
    return circuit.kept?.has(i) && levelOf(placed) < maxLevel ? refresh(placed) : placed;
  });
  return { circuit: { ...circuit, values, outputs }, segment, origin, maskOnA };
}

/** The ways in which operands must be above their result; more than one where masks may be on either side. */
export function operandCostVariants(op: CircuitOp): readonly (readonly number[])[] {
  if (op.kind === 'matmul' && !op.grid.doubled) {
    return [
      [1, 2],
      [2, 1],
    ];
  }
  return [
    operandCosts(
      op,
      operandsOf({ op }).map(() => 0),
    ),
  ];
}

function operandCosts(op: CircuitOp, levels: readonly number[]): Costs {
  switch (op.kind) {
    case 'input':
      return [];
    case 'linear':
    case 'products':
      return levels.map(() => 1);
    case 'sum':
    case 'fold':
      return levels.map(() => 0);
    case 'refresh':
      return [0];
    case 'product':
    case 'bicyclic':
      return [1, 1];
    case 'matmul':
      if (op.grid.doubled) return [1, 1];
      // Masks cost a level on one side: put them where there is one to spare. On b they also halve the ciphertext products.
      return (levels[0] ?? 0) > (levels[1] ?? 0) ? [2, 1] : [1, 2];
  }
}

/** The same operation on other operands, in the order of `operandsOf`. */
export function withOperands(op: CircuitOp, operands: readonly CircuitValue[]): CircuitOp {
  const operand = (index: number): CircuitValue => {
    const value = operands[index];
    if (value === undefined) throw new HeError('COMPILE_FAILED', 'operand missing', { op: op.kind, hint: BUG_HINT });
    return value;
  };
  switch (op.kind) {
    case 'input':
      return op;
    case 'linear':
      return { ...op, terms: op.terms.map((term, i) => ({ ...term, source: operand(i) })) };
    case 'sum':
      return { ...op, terms: op.terms.map((term, i) => ({ ...term, source: operand(i) })) };
    case 'fold':
    case 'refresh':
      return { ...op, source: operand(0) };
    case 'products':
      return { ...op, pairs: op.pairs.map((pair, i) => ({ ...pair, a: operand(2 * i), b: operand(2 * i + 1) })) };
    case 'product':
    case 'matmul':
    case 'bicyclic':
      return { ...op, a: operand(0), b: operand(1) };
  }
}

/** Levels between the inputs of a circuit and the outputs that lie deepest, masks included, with no refresh on the way. */
export function circuitDepth({ values, outputs }: Circuit): number {
  const depth: number[] = [];
  const depthOf = (value: CircuitValue): number => depth[value.id] ?? 0;
  for (const value of values) {
    const operands = operandsOf(value).map(depthOf);
    const costs = operandCosts(
      value.op,
      operands.map((below) => -below),
    );
    depth[value.id] = Math.max(0, ...operands.map((below, i) => below + (costs[i] ?? 0)));
  }
  return Math.max(0, ...outputs.map(depthOf));
}

/** Levels that every operand of a value must be above it. */
export function operandLevels(value: CircuitValue, { maskOnA }: Pick<LeveledCircuit, 'maskOnA'>): readonly number[] {
  if (value.op.kind === 'matmul' && !value.op.grid.doubled) return maskOnA.has(value.id) ? [2, 1] : [1, 2];
  return operandCosts(
    value.op,
    operandsOf(value).map(() => 0),
  );
}

/** Backward: the lowest level at which each value serves all its users. */
function lowestLevels({ circuit, maskOnA }: Forward, { maxLevel, refreshLevel }: LevelOptions): number[] {
  const level = new Array<number>(circuit.values.length).fill(-1);
  const need = (value: CircuitValue, at: number): void => {
    level[value.id] = Math.max(level[value.id] ?? -1, at);
  };
  for (const [i, output] of circuit.outputs.entries()) need(output, circuit.kept?.has(i) ? maxLevel : refreshLevel);
  for (const value of [...circuit.values].reverse()) {
    const own = level[value.id] ?? -1;
    if (own < 0) continue;
    if (value.op.kind === 'refresh') {
      level[value.id] = maxLevel;
      need(value.op.source, refreshLevel);
      continue;
    }
    const operands = operandsOf(value);
    const costs = operandLevels(value, { maskOnA });
    operands.forEach((operand, i) => {
      need(operand, own + (costs[i] ?? 0));
    });
    if (value.op.kind === 'input') level[value.id] = maxLevel;
  }
  return level;
}
