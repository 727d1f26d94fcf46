import type { TensorNode } from './node.js';

/** How often nodes are read, by terms, operands (twice by a square) and outputs. */
export function countUses(order: readonly TensorNode[], outputs: readonly TensorNode[]): Map<TensorNode, number> {
  const uses = new Map<TensorNode, number>();
  const use = (node: TensorNode): void => {
    uses.set(node, (uses.get(node) ?? 0) + 1);
  };
  for (const node of order) {
    if (node.kind === 'affine') for (const term of node.terms) use(term.source);
    else if (node.kind !== 'input') {
      use(node.a);
      use(node.b);
    }
  }
  for (const node of outputs) use(node);
  return uses;
}
