import { buildMap, identity, type LinearMap, scaleRows } from './linear_map.js';
import { type AffineNode, type MatMulNode, type ProductNode, sizeOf, type TensorNode } from './node.js';

/** The value of a node that depends on no encrypted input (an affine map that came out as zero); null for all others. */
export function constantOf(node: TensorNode): Float64Array | null {
  return node.kind === 'affine' && node.terms.length === 0 ? (node.bias ?? new Float64Array(sizeOf(node.shape))) : null;
}

/** A product with a constant operand is linear. */
export function foldConstantProduct(node: ProductNode, a: TensorNode, b: TensorNode): AffineNode | null {
  for (const [constant, other] of [
    [constantOf(a), b],
    [constantOf(b), a],
  ] as const) {
    if (constant !== null) return linear(node, other, scaleRows(identity(sizeOf(other.shape)), constant));
  }
  return null;
}

/** A matmul with a constant operand is linear. */
export function foldConstantMatMul(node: MatMulNode, a: TensorNode, b: TensorNode): AffineNode | null {
  const { m, k, n } = node.dims;
  const left = constantOf(a);
  const right = constantOf(b);
  if (left === null && right === null) return null;
  const other = left === null ? a : b;
  const map = buildMap(sizeOf(node.shape), sizeOf(other.shape), (row, emit) => {
    const h = Math.floor(row / (m * n));
    const i = Math.floor(row / n) % m;
    const j = row % n;
    for (let l = 0; l < k; l++) {
      const atA = (h * m + i) * k + l;
      const atB = (h * k + l) * n + j;
      if (left !== null) emit(atB, left[atA] ?? 0);
      else emit(atA, right?.[atB] ?? 0);
    }
  });
  return linear(node, other, map);
}

function linear({ id, shape, label }: TensorNode, source: TensorNode, map: LinearMap): AffineNode {
  const terms = map.column.length === 0 ? [] : [{ map, source }];
  return { kind: 'affine', id, shape, label, terms, bias: null };
}
