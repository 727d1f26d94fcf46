import { buildMap, selection } from '../graph/linear_map.js';
import { type AffineNode, type MatMulNode, type ProductNode, sizeOf, type TensorNode, topologicalOrder } from '../graph/node.js';
import { featureMajorPeriod, matMulSlots } from './slot_layout.js';

/**
 * Pass: a product of encrypted matrices one of which is a vector, or whose square grid does not fit in `slots`, becomes one elementwise
 * product of both operands spread over [batch, m, n, k], summed over k, where that fits. One key switch and log2(k) rotations besides the
 * spreading, where a grid takes at least max(m, k, n) rotations.
 */
export function expandMatMuls(outputs: readonly TensorNode[], slots: number): TensorNode[] {
  const replaced = new Map<TensorNode, TensorNode>();
  const now = (node: TensorNode): TensorNode => replaced.get(node) ?? node;
  for (const node of topologicalOrder(outputs)) {
    if (node.kind === 'input') continue;
    if (node.kind === 'affine') {
      if (node.terms.some(({ source }) => now(source) !== source))
        replaced.set(node, { ...node, terms: node.terms.map(({ map, source }) => ({ map, source: now(source) })) });
      continue;
    }
    const moved = { ...node, a: now(node.a), b: now(node.b) };
    if (moved.kind === 'matmul' && isExpanded(moved, slots)) replaced.set(node, expand(moved));
    else if (moved.a !== node.a || moved.b !== node.b) replaced.set(node, moved);
  }
  return outputs.map(now);
}

function isExpanded({ dims }: MatMulNode, slots: number): boolean {
  if (featureMajorPeriod(spreadShape(dims)) > slots) return false;
  return dims.m === 1 || dims.n === 1 || matMulSlots(dims) > slots;
}

/** k last: the axis that rotations of a feature-major layout sum over. */
function spreadShape({ batch, m, k, n }: MatMulNode['dims']): readonly number[] {
  return [batch, m, n, k];
}

function expand(node: MatMulNode): AffineNode {
  const { id, label, shape, a, b, dims } = node;
  const { batch, m, k, n } = dims;
  const spread = spreadShape(dims);
  const size = sizeOf(spread);
  const spreadFrom = (source: TensorNode, index: (h: number, i: number, j: number, l: number) => number): AffineNode => {
    const from = Int32Array.from({ length: size }, (_, e) =>
      index(Math.floor(e / (k * n * m)), Math.floor(e / (k * n)) % m, Math.floor(e / k) % n, e % k),
    );
    const terms = [{ map: selection(from, sizeOf(source.shape)), source }];
    return { kind: 'affine', id, label, shape: spread, terms, bias: null };
  };
  const left = spreadFrom(a, (h, i, _, l) => (h * m + i) * k + l);
  const right = spreadFrom(b, (h, _, j, l) => (h * k + l) * n + j);
  const product: ProductNode = { kind: 'product', id, label, shape: spread, a: left, b: right };
  const sum = buildMap(batch * m * n, size, (row, emit) => {
    for (let l = 0; l < k; l++) emit(row * k + l, 1);
  });
  return { kind: 'affine', id, label, shape, terms: [{ map: sum, source: product }], bias: null };
}
