import { isMonomial, type LinearMap } from './linear_map.js';
import type { TensorNode } from './node.js';

/** Largest whole factor that is done by additions. */
export const MAX_FREE_FACTOR = 4;

const depths = new WeakMap<TensorNode, number>();

/** Multiplicative depth of a node: products and maps with other factors than small integers take a level. */
export function depthOf(node: TensorNode): number {
  let depth = depths.get(node);
  if (depth === undefined) {
    depth = computeDepth(node);
    depths.set(node, depth);
  }
  return depth;
}

function computeDepth(node: TensorNode): number {
  switch (node.kind) {
    case 'input':
      return 0;
    case 'affine':
      return Math.max(0, ...node.terms.map((term) => depthOf(term.source) + (isFree(term.map) ? 0 : 1)));
    default:
      return Math.max(depthOf(node.a), depthOf(node.b)) + 1;
  }
}

/** Depth of a node times a factor that is no small integer: that of the node itself where the factor folds into maps which take a level anyway. */
export function depthOfScaled(node: TensorNode): number {
  if (node.kind !== 'affine') return depthOf(node) + 1;
  return Math.max(0, ...node.terms.map(({ map, source }) => (isFree(map) ? depthOfScaled(source) : depthOf(source) + 1)));
}

/** Carried out by additions and rotations alone. */
export function isFree(map: LinearMap): boolean {
  return (
    isMonomial(map) && map.value.every((value) => value === map.value[0] && Number.isInteger(value) && Math.abs(value) <= MAX_FREE_FACTOR)
  );
}
