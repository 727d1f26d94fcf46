import type { Engine } from 'tfjs-he-backend';
import type { AttentionSize } from './cases.ts';

/**
 * What one writes against node-seal from the textbook: Halevi-Shoup diagonals with one rotation each, JKLS matrix products with one
 * relinearisation per product. Scales and levels are kept as the engine asks for; nothing else is done to make it fast.
 */
export class HandWritten<C, P> {
  private readonly engine: Engine<C, P>;
  private readonly steps = new Set<number>();
  private plaintexts = 0;

  constructor(engine: Engine<C, P>) {
    this.engine = engine;
  }

  /** Distinct rotation steps so far, ascending; each needs a Galois key. */
  get galoisSteps(): readonly number[] {
    return [...this.steps].sort((a, b) => a - b);
  }

  /** Bytes of the plaintexts encoded so far. */
  get plaintextBytes(): number {
    return this.plaintexts;
  }

  /** y = W x with one rotation per diagonal; x of `inputs` elements repeats in all slots, W is padded to a square. */
  dense(x: C, inputs: number, outputs: number, weight: (row: number, column: number) => number): C {
    const entries: Entry[] = [];
    for (let row = 0; row < outputs; row++) for (let col = 0; col < inputs; col++) entries.push([row, col, weight(row, col)]);
    return this.linear(x, entries, inputs);
  }

  /**
   * Attention as in the bench case: x element [t, f] at slot f T + t, repeated; every head a T x T matrix (element [r, c] of head h at slot
   * (c H + h) T + r), so that all heads share their rotations. `merge` result: element [t, f] at slot f T + t.
   */
  attention(x: C, size: AttentionSize, weights: (kernel: number, row: number, column: number) => number, reciprocal: Cubic): C {
    const { tokens, width, heads } = size;
    const period = tokens * tokens * heads;
    const headWidth = width / heads;
    const at = (h: number, row: number, col: number): number => (col * heads + h) * tokens + row;
    const project = (kernel: number): C => {
      const entries: Entry[] = [];
      for (let h = 0; h < heads; h++)
        for (let c = 0; c < headWidth; c++)
          for (let t = 0; t < tokens; t++)
            for (let f = 0; f < width; f++) entries.push([at(h, t, c), f * tokens + t, weights(kernel, f, h * headWidth + c)]);
      return this.linear(x, entries, width * tokens, period);
    };
    const move = (matrix: C, from: (row: number, col: number) => readonly [number, number]): C => {
      const entries: Entry[] = [];
      for (let h = 0; h < heads; h++)
        for (let r = 0; r < tokens; r++) for (let c = 0; c < tokens; c++) entries.push([at(h, r, c), at(h, ...from(r, c)), 1]);
      return this.linear(matrix, entries, period);
    };
    const wrap = (i: number): number => i % tokens;
    const matMul = (a: C, b: C): C => {
      const sigma = move(a, (r, c) => [r, wrap(r + c)]);
      const tau = move(b, (r, c) => [wrap(r + c), c]);
      let sum: C | null = null;
      for (let k = 0; k < tokens; k++) {
        const left = this.rotate(sigma, k * heads * tokens);
        const right = k === 0 ? tau : this.linear(tau, shiftRows(size, at, k), period);
        const product = this.multiply(left, right);
        sum = sum === null ? product : this.add(sum, product);
      }
      if (sum === null) throw new Error('no tokens');
      return sum;
    };
    const transposed = move(project(1), (r, c) => [c, r]);
    let powers = matMul(project(0), transposed);
    powers = this.multiply(powers, powers);
    powers = this.multiply(powers, powers);
    let sum = powers;
    for (let step = heads * tokens; step < period; step *= 2) sum = this.engine.add(sum, this.rotate(sum, step));
    const factor = this.cubic(sum, tokens, reciprocal);
    const mixed = this.multiply(matMul(powers, project(2)), factor);
    const merge: Entry[] = [];
    for (let t = 0; t < tokens; t++)
      for (let out = 0; out < width; out++)
        for (let h = 0; h < heads; h++)
          for (let c = 0; c < headWidth; c++) merge.push([out * tokens + t, at(h, t, c), weights(3, h * headWidth + c, out)]);
    return this.linear(mixed, merge, period);
  }

  /** c0 + c1 u + (c2 + c3 u) u^2 at u = 0.9 sum / tokens - 1.2. */
  private cubic(sum: C, tokens: number, [c0, c1, c2, c3]: Cubic): C {
    const u = this.plus(this.times(sum, this.uniform(0.9 / tokens)), -1.2);
    const square = this.multiply(u, u);
    const high = this.multiply(square, this.plus(this.times(u, this.uniform(c3)), c2));
    const low = this.plus(this.times(u, this.uniform(c1)), c0);
    return this.add(high, low);
  }

  /** y[row] = sum of value * x[column]: one rotation and one product per distinct column - row, modulo the period of x. */
  private linear(x: C, entries: readonly Entry[], period: number, outPeriod = period): C {
    const diagonals = new Map<number, Map<number, number>>();
    for (const [row, column, value] of entries) {
      const step = (column - row + outPeriod) % period;
      let diagonal = diagonals.get(step);
      if (diagonal === undefined) {
        diagonal = new Map();
        diagonals.set(step, diagonal);
      }
      diagonal.set(row, (diagonal.get(row) ?? 0) + value);
    }
    let sum: C | null = null;
    for (const [step, diagonal] of diagonals) {
      const term = this.times(this.rotate(x, step), this.repeated(diagonal, outPeriod));
      sum = sum === null ? term : this.engine.add(sum, term);
    }
    if (sum === null) throw new Error('an empty matrix');
    return sum;
  }

  /** Slot values that repeat. */
  private repeated(diagonal: ReadonlyMap<number, number>, period: number): Float64Array {
    const values = new Float64Array(this.engine.parameters.slots);
    for (const [row, value] of diagonal) for (let slot = row; slot < values.length; slot += period) values[slot] = value;
    return values;
  }

  private uniform(value: number): Float64Array {
    return new Float64Array(this.engine.parameters.slots).fill(value);
  }

  private rotate(x: C, step: number): C {
    if (step === 0) return x;
    this.steps.add(step);
    return this.engine.rotate(x, step);
  }

  /** Elementwise product with plaintext values, rescaled to the canonical scale one level down. */
  private times(x: C, values: Float64Array): C {
    const { parameters } = this.engine;
    const { level, scale } = this.engine.info(x);
    const to = parameters.levelScale(level - 1);
    const product = this.engine.multiplyPlain(x, this.encode(values, level, (to * parameters.primeAt(level)) / scale));
    return this.engine.rescale(product, to);
  }

  private add(a: C, b: C): C {
    const level = Math.min(this.engine.info(a).level, this.engine.info(b).level);
    return this.engine.add(this.down(a, level), this.down(b, level));
  }

  private plus(x: C, value: number): C {
    const { level, scale } = this.engine.info(x);
    return this.engine.addPlain(x, this.encode(this.uniform(value), level, scale));
  }

  private encode(values: Float64Array, level: number, scale: number): P {
    this.plaintexts += 8 * this.engine.parameters.polyModulusDegree * (level + 1);
    return this.engine.encode(values, level, scale);
  }

  private multiply(a: C, b: C): C {
    const level = Math.min(this.engine.info(a).level, this.engine.info(b).level);
    const product = this.engine.relinearize(this.engine.multiply(this.down(a, level), this.down(b, level)));
    return this.engine.rescale(product, this.engine.parameters.levelScale(level - 1));
  }

  /** To a lower level and its canonical scale. */
  private down(x: C, level: number): C {
    if (this.engine.info(x).level === level) return x;
    return this.times(this.engine.modSwitchTo(x, level + 1), this.uniform(1));
  }
}

/** Row, column and value of a matrix entry. */
type Entry = readonly [number, number, number];
export type Cubic = readonly [number, number, number, number];

/** psi^k of JKLS: element [r, c] from [r + k, c], which in this layout takes two rotations with masks. */
function shiftRows({ tokens, heads }: AttentionSize, at: (h: number, row: number, col: number) => number, k: number): Entry[] {
  const entries: Entry[] = [];
  for (let h = 0; h < heads; h++)
    for (let r = 0; r < tokens; r++) for (let c = 0; c < tokens; c++) entries.push([at(h, r, c), at(h, (r + k) % tokens, c), 1]);
  return entries;
}
