import type { LinearMap } from './linear_map.js';
import { type TensorNode, topologicalOrder } from './node.js';

/**
 * Pass: nodes that compute the same (same kind, same operands up to the same rule, equal maps and biases) become one. With `affine` false, only
 * products are merged: an affine node in two copies may still fold into the users of each, which saves a level.
 */
export function shareEqual(outputs: readonly TensorNode[], affine: boolean): { readonly outputs: TensorNode[]; readonly changed: boolean } {
  const classes = new Map<string, TensorNode[]>();
  /** The first node of the same class, by node. */
  const leader = new Map<TensorNode, TensorNode>();
  const replaced = new Map<TensorNode, TensorNode>();
  const now = (node: TensorNode): TensorNode => replaced.get(node) ?? node;
  const leaderOf = (node: TensorNode): TensorNode => leader.get(node) ?? node;
  let changed = false;
  for (const node of topologicalOrder(outputs)) {
    const key = keyOf(node, leaderOf);
    const same = classes.get(key)?.find((other) => equal(node, other, leaderOf));
    const own = withSources(node, now);
    if (own !== node) replaced.set(node, own);
    if (same === undefined) {
      const members = classes.get(key);
      if (members === undefined) classes.set(key, [node]);
      else members.push(node);
      continue;
    }
    leader.set(node, same);
    if (node.kind === 'input' || (node.kind === 'affine' && !affine)) continue;
    replaced.set(node, now(same));
    changed = true;
  }
  return { outputs: outputs.map(now), changed };
}

function withSources(node: TensorNode, now: (node: TensorNode) => TensorNode): TensorNode {
  switch (node.kind) {
    case 'input':
      return node;
    case 'affine':
      if (node.terms.every(({ source }) => now(source) === source)) return node;
      return { ...node, terms: node.terms.map(({ map, source }) => ({ map, source: now(source) })) };
    default: {
      const [a, b] = [now(node.a), now(node.b)];
      return a === node.a && b === node.b ? node : { ...node, a, b };
    }
  }
}

/** Cheap to compare: nodes of one class have one key. */
function keyOf(node: TensorNode, leaderOf: (node: TensorNode) => TensorNode): string {
  switch (node.kind) {
    case 'input':
      return `input ${node.id}`;
    case 'affine':
      return `affine ${node.shape} ${node.terms.map(({ map, source }) => `${leaderOf(source).id} ${map.column.length} ${map.value[0]}`)}`;
    case 'product':
      return `product ${[leaderOf(node.a).id, leaderOf(node.b).id].sort((a, b) => a - b)}`;
    case 'matmul':
      return `matmul ${leaderOf(node.a).id} ${leaderOf(node.b).id}`;
  }
}

function equal(a: TensorNode, b: TensorNode, leaderOf: (node: TensorNode) => TensorNode): boolean {
  const same = (x: TensorNode, y: TensorNode): boolean => leaderOf(x) === leaderOf(y);
  if (a.shape.join() !== b.shape.join()) return false;
  if (a.kind === 'affine' && b.kind === 'affine') {
    return (
      a.terms.length === b.terms.length &&
      a.terms.every((term, i) => {
        const other = b.terms[i];
        return other !== undefined && same(term.source, other.source) && equalMaps(term.map, other.map);
      }) &&
      equalArrays(a.bias ?? [], b.bias ?? [])
    );
  }
  if (a.kind === 'product' && b.kind === 'product') return (same(a.a, b.a) && same(a.b, b.b)) || (same(a.a, b.b) && same(a.b, b.a));
  if (a.kind === 'matmul' && b.kind === 'matmul') {
    const [x, y] = [a.dims, b.dims];
    return same(a.a, b.a) && same(a.b, b.b) && x.batch === y.batch && x.m === y.m && x.k === y.k && x.n === y.n;
  }
  return false;
}

function equalMaps(a: LinearMap, b: LinearMap): boolean {
  if (a === b) return true;
  return a.cols === b.cols && equalArrays(a.rowStart, b.rowStart) && equalArrays(a.column, b.column) && equalArrays(a.value, b.value);
}

function equalArrays(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
