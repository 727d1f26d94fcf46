import { type Circuit, operandsOf } from './circuit.js';
import { type LevelOptions, operandCostVariants, type Placement } from './levels.js';
import { type PlacementCosts, weighted } from './placement_costs.js';

/** Rounds of local search over all values; nearly always, the second finds nothing more. */
const MAX_PASSES = 4;

export interface SearchedPlacement {
  readonly placement: Placement;
  /** Milliseconds, weighted by rounds. */
  readonly cost: number;
}

/**
 * Placements of refreshes in one circuit, costed without building the leveled circuits ({@link assignLevels} gives the same levels): a value or operand is numbered by its position. A use is one
 * operand of one value.
 */
export class RefreshSearch {
  /** By value, and one more: its first use. */
  private readonly first: number[] = [];
  /** By use: the operand's position, and the levels it must be above the user. */
  private readonly operand: number[] = [];
  private readonly above: number[] = [];
  /** By value: where it is used. */
  private readonly uses: readonly number[][];
  /** By value: masks may be on either operand. */
  private readonly masked: boolean[];
  private readonly isInput: boolean[];
  private readonly outputs: readonly { readonly value: number; readonly kept: boolean }[];
  /** By value and level: milliseconds. */
  private readonly ms: Float64Array;
  // What the last evaluation came to. By use: is it taken refreshed? By value: highest level, rounds before it, lowest level that serves.
  private readonly fresh: Uint8Array;
  private readonly available: Int32Array;
  private readonly rounds: Int32Array;
  private readonly level: Int32Array;
  private readonly refreshed: Uint8Array;

  constructor(
    private readonly circuit: Circuit,
    private readonly chain: Pick<LevelOptions, 'maxLevel' | 'refreshLevel'>,
    private readonly costs: PlacementCosts,
  ) {
    const { values, outputs, kept } = circuit;
    const position = new Map(values.map(({ id }, i) => [id, i]));
    const at = (id: number): number => position.get(id) ?? 0;
    for (const value of values) {
      this.first.push(this.operand.length);
      this.operand.push(...operandsOf(value).map(({ id }) => at(id)));
      this.above.push(...(operandCostVariants(value.op)[0] ?? []));
    }
    this.first.push(this.operand.length);
    const uses = values.map((): number[] => []);
    for (const [use, value] of this.operand.entries()) uses[value]?.push(use);
    this.uses = uses;
    this.masked = values.map(({ op }) => operandCostVariants(op).length > 1);
    this.isInput = values.map(({ op }) => op.kind === 'input');
    this.outputs = outputs.map(({ id }, i) => ({ value: at(id), kept: kept?.has(i) === true }));
    const levels = chain.maxLevel + 1;
    this.ms = Float64Array.from({ length: values.length * levels }, (_, i) => {
      const value = values[Math.floor(i / levels)];
      return value === undefined || i % levels < chain.refreshLevel ? 0 : costs.valueMs(value.id, i % levels);
    });
    this.fresh = new Uint8Array(this.operand.length);
    [this.available, this.rounds, this.level] = [
      new Int32Array(values.length),
      new Int32Array(values.length),
      new Int32Array(values.length),
    ];
    this.refreshed = new Uint8Array(values.length);
  }

  /**
   * Refreshes at the last possible moment, and then one value at a time refreshed before anything uses it, or no longer so, as long as that is cheaper.
   * @param together as in {@link LevelOptions.refreshTogether}
   */
  byValue(together: boolean): SearchedPlacement {
    const groups = this.uses.filter((_, value) => this.isInput[value] === false);
    return this.descend(new Uint8Array(this.operand.length), groups, together);
  }

  /** From a placement, one operand of a value at a time, or from behind a value to before it and back. */
  byUse(start: Placement): SearchedPlacement {
    const flags = new Uint8Array(this.operand.length);
    const single: number[][] = [];
    const across: number[][] = [];
    this.circuit.values.forEach(({ id }, value) => {
      const [from, to] = [this.first[value] ?? 0, this.first[value + 1] ?? 0];
      const own = Array.from({ length: to - from }, (_, i) => from + i).filter((use) => this.isInput[this.operand[use] ?? 0] === false);
      for (const use of own) if (start.fresh.get(id)?.has(this.idOf(this.operand[use] ?? 0)) === true) flags[use] = 1;
      const sameOperand = own.map((use) => own.filter((other) => this.operand[other] === this.operand[use]));
      single.push(...sameOperand.filter((group, i) => group[0] === own[i]));
      if (this.isInput[value] === false) across.push([...(this.uses[value] ?? []), ...own]);
    });
    return this.descend(flags, [...single, ...across], false);
  }

  /** Local search: groups of uses change sides together. */
  private descend(flags: Uint8Array, groups: readonly (readonly number[])[], together: boolean): SearchedPlacement {
    const flip = (group: readonly number[]): void => {
      for (const use of group) flags[use] = 1 - (flags[use] ?? 0);
    };
    let best = this.evaluate(flags, together);
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const before = best;
      for (const group of groups) {
        flip(group);
        const cost = this.evaluate(flags, together);
        if (cost < best) best = cost;
        else flip(group);
      }
      if (best === before) break;
    }
    this.evaluate(flags, together);
    return { placement: this.placement(), cost: best };
  }

  /** Milliseconds with these uses refreshed, and those that must be; Infinity where a value needs more levels than there are. */
  private evaluate(flags: Uint8Array, together: boolean): number {
    return this.raise(flags, together) ? this.lower() : Number.POSITIVE_INFINITY;
  }

  /** Forward: the highest level of every value. */
  private raise(flags: Uint8Array, together: boolean): boolean {
    const { first, operand, above, fresh, available, rounds, isInput } = this;
    const { maxLevel, refreshLevel } = this.chain;
    const levelOf = (use: number): number => (fresh[use] === 1 ? maxLevel : (available[operand[use] ?? 0] ?? 0)) - (above[use] ?? 0);
    const roundOf = (use: number): number => (rounds[operand[use] ?? 0] ?? 0) + (fresh[use] ?? 0);
    for (let value = 0; value < available.length; value++) {
      const [from, to] = [first[value] ?? 0, first[value + 1] ?? 0];
      let [result, round] = [maxLevel, 0];
      for (let use = from; use < to; use++) fresh[use] = isInput[operand[use] ?? 0] === true ? 0 : (flags[use] ?? 0);
      this.putMasks(value);
      for (let use = from; use < to; use++) {
        if (levelOf(use) < refreshLevel && isInput[operand[use] ?? 0] === false) fresh[use] = 1;
      }
      if (together) {
        let best = 0;
        for (let use = from; use < to; use++) [best, round] = [Math.max(best, levelOf(use)), Math.max(round, roundOf(use))];
        for (let use = from; use < to; use++) {
          if (roundOf(use) < round && levelOf(use) < best && isInput[operand[use] ?? 0] === false) fresh[use] = 1;
        }
      }
      this.putMasks(value);
      for (let use = from; use < to; use++) [result, round] = [Math.min(result, levelOf(use)), Math.max(round, roundOf(use))];
      if (result < refreshLevel) return false;
      available[value] = result;
      rounds[value] = round;
    }
    return true;
  }

  /** On the operand with a level to spare. */
  private putMasks(value: number): void {
    if (this.masked[value] !== true) return;
    const use = this.first[value] ?? 0;
    const levelOf = (i: number): number => (this.fresh[i] === 1 ? this.chain.maxLevel : (this.available[this.operand[i] ?? 0] ?? 0));
    const onA = levelOf(use) > levelOf(use + 1);
    this.above[use] = onA ? 2 : 1;
    this.above[use + 1] = onA ? 1 : 2;
  }

  /** Backward: the lowest level that serves all users of every value; what that costs. */
  private lower(): number {
    const { first, operand, above, fresh, level, rounds, refreshed, isInput, ms } = this;
    const { maxLevel, refreshLevel } = this.chain;
    const { refreshMs, roundMs } = this.costs;
    level.fill(-1);
    refreshed.fill(0);
    let [total, last] = [0, 0];
    for (const { value, kept } of this.outputs) {
      if (kept && isInput[value] === false && (this.available[value] ?? 0) < maxLevel) refreshed[value] = 1;
      else level[value] = Math.max(level[value] ?? -1, kept ? maxLevel : refreshLevel);
    }
    for (let value = level.length - 1; value >= 0; value--) {
      let own = level[value] ?? -1;
      if (refreshed[value] === 1) {
        own = Math.max(own, refreshLevel);
        total += refreshMs;
        last = Math.max(last, (rounds[value] ?? 0) + 1);
      }
      if (own < 0 || isInput[value] === true) continue;
      total += ms[value * (maxLevel + 1) + own] ?? 0;
      for (let use = first[value] ?? 0; use < (first[value + 1] ?? 0); use++) {
        const source = operand[use] ?? 0;
        if (fresh[use] === 1) refreshed[source] = 1;
        else level[source] = Math.max(level[source] ?? -1, own + (above[use] ?? 0));
      }
    }
    return weighted(total + last * roundMs, last, this.costs);
  }

  private idOf(value: number): number {
    return this.circuit.values[value]?.id ?? -1;
  }

  /** What was evaluated last. */
  private placement(): Placement {
    const { values } = this.circuit;
    const fresh = new Map<number, Set<number>>();
    const maskOnA = new Set<number>();
    values.forEach(({ id }, value) => {
      const [from, to] = [this.first[value] ?? 0, this.first[value + 1] ?? 0];
      const taken = new Set<number>();
      for (let use = from; use < to; use++) if (this.fresh[use] === 1) taken.add(this.idOf(this.operand[use] ?? -1));
      fresh.set(id, taken);
      if (this.masked[value] === true && this.above[from] === 2) maskOnA.add(id);
    });
    return { fresh, maskOnA };
  }
}
