import type { Interval } from '../ops/interval.js';
import type { LinearMap } from './linear_map.js';

/**
 * The tensor graph: what the kernels record. Values are encrypted tensors of static shape; plaintext operands are already folded into maps
 * and biases. Nodes are immutable and refer to their sources directly, so the graph is a DAG held by its outputs.
 */
export type TensorNode = InputNode | AffineNode | ProductNode | MatMulNode;

interface NodeBase {
  readonly id: number;
  readonly shape: readonly number[];
  /** Name of the tfjs layer that recorded the node: what progress and latency tables show. */
  readonly label: string;
}

/** A tensor the client encrypts. */
export interface InputNode extends NodeBase {
  readonly kind: 'input';
  readonly name: string;
}

/** map * source. */
export interface AffineTerm {
  readonly map: LinearMap;
  readonly source: TensorNode;
}

/** sum_k map_k * source_k + bias: every linear op, and additions. */
export interface AffineNode extends NodeBase {
  readonly kind: 'affine';
  readonly terms: readonly AffineTerm[];
  readonly bias: Float64Array | null;
  /** The operation that takes these values, and the interval in which it expects them: for checks in the clear. */
  readonly declared?: { readonly op: string; readonly interval: Interval };
}

/** Elementwise a * b, equal shapes (broadcasting is an affine node before it). */
export interface ProductNode extends NodeBase {
  readonly kind: 'product';
  readonly a: TensorNode;
  readonly b: TensorNode;
}

/** Batched product of two encrypted matrices: a [B, M, K], b [B, K, N] -> [B, M, N]. */
export interface MatMulNode extends NodeBase {
  readonly kind: 'matmul';
  readonly a: TensorNode;
  readonly b: TensorNode;
  readonly dims: { readonly batch: number; readonly m: number; readonly k: number; readonly n: number };
}

/** Elements of a tensor. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** The nodes that one is computed from, in its order; none for inputs. */
function sourcesOf(node: TensorNode): readonly TensorNode[] {
  switch (node.kind) {
    case 'input':
      return [];
    case 'affine':
      return node.terms.map((term) => term.source);
    case 'product':
    case 'matmul':
      return node.a === node.b ? [node.a] : [node.a, node.b];
  }
}

/** All nodes the outputs depend on, sources before users. */
export function topologicalOrder(outputs: readonly TensorNode[]): TensorNode[] {
  const order: TensorNode[] = [];
  const done = new Set<TensorNode>();
  const stack: { node: TensorNode; expanded: boolean }[] = outputs.map((node) => ({ node, expanded: false })).reverse();
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    const { node, expanded } = entry;
    if (done.has(node)) continue;
    if (expanded) {
      done.add(node);
      order.push(node);
      continue;
    }
    stack.push({ node, expanded: true });
    for (const source of [...sourcesOf(node)].reverse()) if (!done.has(source)) stack.push({ node: source, expanded: false });
  }
  return order;
}
