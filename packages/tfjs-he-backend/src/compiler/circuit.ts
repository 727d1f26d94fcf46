import type { BicyclicGrid } from './bicyclic.js';
import type { DiagonalTerm } from './diagonals.js';
import type { MatMulGrid } from './slot_layout.js';

/**
 * The slot circuit: one operation per tensor-level step, on slot vectors, before levels are known. `depth` below is the number of
 * levels an operation takes from each operand to its result.
 */
export type CircuitOp =
  /** A ciphertext from the client. */
  | { readonly kind: 'input'; readonly name: string }
  /** Sum of matrix-vector products in diagonal form; depth 1. */
  | { readonly kind: 'linear'; readonly terms: readonly { readonly source: CircuitValue; readonly plan: DiagonalTerm }[] }
  /** sum_k coefficient_k * rotate(source_k, step_k) + bias, small integer coefficients; depth 0. */
  | { readonly kind: 'sum'; readonly terms: readonly SumTerm[]; readonly bias: Float64Array | null }
  /** For each stride in turn: x += rotate(x, stride); depth 0. */
  | { readonly kind: 'fold'; readonly source: CircuitValue; readonly strides: readonly number[] }
  /** Elementwise product, relinearised and rescaled; depth 1. */
  | { readonly kind: 'product'; readonly a: CircuitValue; readonly b: CircuitValue }
  /** Sum of elementwise products, relinearised and rescaled once; depth 1. */
  | { readonly kind: 'products'; readonly pairs: readonly ProductPair[] }
  /** Ciphertext matmul; depth 1, and 2 on the side that carries the masks when the grid is not doubled. */
  | {
      readonly kind: 'matmul';
      readonly variant: MatMulVariant;
      readonly grid: MatMulGrid;
      readonly a: CircuitValue;
      readonly b: CircuitValue;
    }
  /** The same in bicyclic packing, whose result needs a mask; depth 1. */
  | { readonly kind: 'bicyclic'; readonly grid: BicyclicGrid; readonly a: CircuitValue; readonly b: CircuitValue }
  /** Sent to the client and back: up to the top level; placed by the level pass. */
  | { readonly kind: 'refresh'; readonly source: CircuitValue };

/** `scores`: standard x skewed -> diagonal layout. `values`: diagonal x skewed -> standard layout. */
export type MatMulVariant = 'scores' | 'values';

export interface ProductPair {
  readonly a: CircuitValue;
  readonly b: CircuitValue;
  /** Subtracted. */
  /** A small whole number, not 0. */
  readonly coefficient: number;
}

export interface SumTerm {
  readonly source: CircuitValue;
  readonly step: number;
  readonly coefficient: number;
}

export interface CircuitValue {
  readonly id: number;
  readonly label: string;
  readonly op: CircuitOp;
}

export interface Circuit {
  /** Operands before users. */
  readonly values: readonly CircuitValue[];
  readonly outputs: readonly CircuitValue[];
  /** Indices of the outputs that are inputs of the next run: they end at the top level. Default: none. */
  readonly kept?: ReadonlySet<number>;
}

export function operandsOf({ op }: Pick<CircuitValue, 'op'>): readonly CircuitValue[] {
  switch (op.kind) {
    case 'input':
      return [];
    case 'linear':
    case 'sum':
      return op.terms.map((term) => term.source);
    case 'fold':
    case 'refresh':
      return [op.source];
    case 'products':
      return op.pairs.flatMap(({ a, b }) => [a, b]);
    case 'product':
    case 'matmul':
    case 'bicyclic':
      return [op.a, op.b];
  }
}

/** Levels from the inputs to a value, counted once for each; masks of a matmul not counted. */
export function depthCounter(): (value: CircuitValue) => number {
  const depths = new Map<CircuitValue, number>();
  const depthOf = (value: CircuitValue): number => {
    let depth = depths.get(value);
    if (depth === undefined) {
      const own = ['linear', 'product', 'products', 'matmul', 'bicyclic'].includes(value.op.kind) ? 1 : 0;
      depth = own + Math.max(0, ...operandsOf(value).map(depthOf));
      depths.set(value, depth);
    }
    return depth;
  };
  return depthOf;
}

/** The same for all values. */
export function circuitDepths({ values }: Pick<Circuit, 'values'>): ReadonlyMap<CircuitValue, number> {
  const depthOf = depthCounter();
  return new Map(values.map((value) => [value, depthOf(value)]));
}

/** Appends operations, numbering them in order. */
export class CircuitBuilder {
  readonly values: CircuitValue[] = [];

  add(label: string, op: CircuitOp): CircuitValue {
    const value: CircuitValue = { id: this.values.length, label, op };
    this.values.push(value);
    return value;
  }
}
