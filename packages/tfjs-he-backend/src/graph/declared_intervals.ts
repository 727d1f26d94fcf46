import type { Interval } from '../ops/interval.js';
import { evaluateGraph } from './evaluate.js';
import { type AffineNode, type TensorNode, topologicalOrder } from './node.js';

/** Values of a tensor against the interval that an operation declared for it. */
export interface IntervalCheck {
  /** Layer that holds the operation, or the kernel's name outside of layers. */
  readonly layer: string;
  readonly op: string;
  readonly interval: Interval;
  /** Least and largest value. */
  readonly range: Interval;
  /** Values outside of the interval, and all. */
  readonly outside: number;
  readonly count: number;
}

/** Nodes whose values an operation declared an interval for: operands of HePolynomial in the Chebyshev basis, HeReciprocal and HeRsqrt. */
export function declaringNodes(outputs: readonly TensorNode[]): AffineNode[] {
  return topologicalOrder(outputs).filter((node): node is AffineNode => node.kind === 'affine' && node.declared !== undefined);
}

/**
 * Evaluates in the clear what intervals are declared for.
 * @param outputs a graph as recorded: simplification forgets what was declared
 * @param inputs values by input name, row-major
 */
export function checkDeclaredIntervals(outputs: readonly TensorNode[], inputs: ReadonlyMap<string, ArrayLike<number>>): IntervalCheck[] {
  const nodes = declaringNodes(outputs);
  const values = evaluateGraph(nodes, inputs);
  return nodes.flatMap(({ label, declared }, i) => {
    const own = values[i];
    if (declared === undefined || own === undefined) return [];
    const { op, interval } = declared;
    const [low, high] = interval;
    let [least, largest, outside] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];
    for (const value of own) {
      least = Math.min(least, value);
      largest = Math.max(largest, value);
      if (value < low || value > high) outside++;
    }
    return [{ layer: label, op, interval, range: [least, largest], outside, count: own.length }];
  });
}
