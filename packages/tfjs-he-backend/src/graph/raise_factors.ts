import { depthOf, depthOfScaled, isFree, MAX_FREE_FACTOR } from './depth.js';
import { isMonomial, type LinearMap } from './linear_map.js';
import { type AffineNode, type AffineTerm, type MatMulNode, type ProductNode, type TensorNode, topologicalOrder } from './node.js';
import { countUses } from './uses.js';

/**
 * Pass: c (A B) = (c A) B. A factor on a product that nothing else uses moves into an operand whose own map takes a level anyway, so that the level of
 * the factor is saved; into both as its root where they are the same. Only where it saves a level: all terms of the sum must become free. Factors
 * above 4 stay, since they could take an operand out of the interval that the program admits.
 */
export function raiseFactors(outputs: readonly TensorNode[]): { readonly outputs: TensorNode[]; readonly changed: boolean } {
  const order = topologicalOrder(outputs);
  const uses = countUses(order, outputs);
  const replaced = new Map<TensorNode, TensorNode>();
  const now = (node: TensorNode): TensorNode => replaced.get(node) ?? node;
  let changed = false;
  for (const node of order) {
    if (node.kind === 'input') continue;
    if (node.kind !== 'affine') {
      const [a, b] = [now(node.a), now(node.b)];
      if (a !== node.a || b !== node.b) replaced.set(node, { ...node, a, b });
      continue;
    }
    const terms = node.terms.map(({ map, source }) => ({ map, source: now(source) }));
    const raised = terms.every(({ map }) => isFree(map)) ? null : raiseAll(node, terms, uses);
    if (raised !== null) changed = true;
    if (raised !== null || terms.some(({ source }, i) => source !== node.terms[i]?.source)) {
      replaced.set(node, { ...node, terms: raised ?? terms });
    }
  }
  return { outputs: outputs.map(now), changed };
}

function raiseAll(node: AffineNode, terms: readonly AffineTerm[], uses: ReadonlyMap<TensorNode, number>): AffineTerm[] | null {
  const raised: AffineTerm[] = [];
  for (const [i, term] of terms.entries()) {
    const before = node.terms[i]?.source;
    if (before === undefined) return null;
    const free = isFree(term.map) ? term : (uses.get(before) ?? 0) === 1 ? raise(term, before, uses) : null;
    if (free === null) return null;
    raised.push(free);
  }
  return raised;
}

/** `before` is the source as `uses` knows it. */
function raise({ map, source }: AffineTerm, before: TensorNode, uses: ReadonlyMap<TensorNode, number>): AffineTerm | null {
  const factor = uniformFactor(map);
  if (factor === null || Math.abs(factor) > MAX_FREE_FACTOR) return null;
  if (source.kind !== 'product' && source.kind !== 'matmul') return null;
  if (before.kind !== 'product' && before.kind !== 'matmul') return null;
  const carried = carry(source, before, factor, uses);
  return carried === null ? null : { map: { ...map, value: map.value.map(() => carried.left) }, source: carried.source };
}

type Product = ProductNode | MatMulNode;

/** The product with the factor in an operand, and what is left of it. */
function carry(
  source: Product,
  before: Product,
  factor: number,
  uses: ReadonlyMap<TensorNode, number>,
): { source: Product; left: number } | null {
  if (before.a === before.b) {
    if (!carries(source.a, before.a, uses, 2)) return null;
    const operand = scaled(source.a, Math.sqrt(Math.abs(factor)));
    return { source: { ...source, a: operand, b: operand }, left: Math.sign(factor) };
  }
  if (carries(source.a, before.a, uses, 1)) return { source: { ...source, a: scaled(source.a, factor) }, left: 1 };
  if (carries(source.b, before.b, uses, 1)) return { source: { ...source, b: scaled(source.b, factor) }, left: 1 };
  return null;
}

function carries(operand: TensorNode, before: TensorNode, uses: ReadonlyMap<TensorNode, number>, most: number): operand is AffineNode {
  return (
    operand.kind === 'affine' && operand.terms.length > 0 && (uses.get(before) ?? 0) <= most && depthOfScaled(operand) === depthOf(operand)
  );
}

function scaled(node: AffineNode, factor: number): AffineNode {
  return {
    ...node,
    terms: node.terms.map(({ map, source }) => ({ map: { ...map, value: map.value.map((v) => factor * v) }, source })),
    bias: node.bias?.map((v) => factor * v) ?? null,
  };
}

function uniformFactor(map: LinearMap): number | null {
  const [first] = map.value;
  return first !== undefined && isMonomial(map) && map.value.every((v) => v === first) ? first : null;
}
