import { foldConstantMatMul, foldConstantProduct } from './constants.js';
import { depthOf } from './depth.js';
import { addMaps, compose, isMonomial, type LinearMap } from './linear_map.js';
import { type AffineNode, type AffineTerm, type TensorNode, topologicalOrder } from './node.js';
import { raiseFactors } from './raise_factors.js';
import { shareEqual } from './share.js';
import { countUses } from './uses.js';

/**
 * Pass: folds affine nodes into the affine nodes that use them, merges terms of one source, and drops zero terms. A source is folded
 * when it is used once or when it is monomial (which never adds diagonals), unless it is a sum that costs no level of its own and the map
 * applied to it is dense: that map is better applied once than to every term. Products with what turned out to be constant become affine, and what
 * is computed twice is computed once (`share.ts`). Factors on products move into their operands (`raise_factors.ts`). Repeated until nothing changes, since merging terms
 * lowers use counts. Pure reshapes disappear (a node's shape is then that of its last recorded form). Values are unchanged up to rounding;
 * each fold saves a level.
 */
export function simplify(outputs: readonly TensorNode[]): TensorNode[] {
  let current = [...outputs];
  // Before what several nodes read is folded into all of them: a factor on a product is then still in one place.
  for (let folded = foldOnce(current, false); ; folded = foldOnce(current, false)) {
    current = folded.outputs;
    if (!folded.changed) break;
  }
  current = raiseFactors(current).outputs;
  for (;;) {
    const folded = foldOnce(current, true);
    const shared = shareEqual(folded.outputs, false);
    current = shared.outputs;
    if (folded.changed || shared.changed) continue;
    const raised = raiseFactors(current);
    if (!raised.changed) return shareEqual(current, true).outputs;
    current = raised.outputs;
  }
}

/** @param shared whether monomial sources with several users are folded, too. */
function foldOnce(outputs: readonly TensorNode[], shared: boolean): { outputs: TensorNode[]; changed: boolean } {
  const order = topologicalOrder(outputs);
  const uses = countUses(order, outputs);
  const replaced = new Map<TensorNode, TensorNode>();
  let changed = false;
  const now = (node: TensorNode): TensorNode => replaced.get(node) ?? node;
  for (const node of order) {
    if (node.kind === 'input') continue;
    if (node.kind === 'affine') {
      const folded = foldAffine(node, now, (source) => (uses.get(source) ?? 0) === 1, shared);
      const through = aliasOf(folded);
      if (through !== null) {
        changed = true;
        replaced.set(node, through);
      } else if (folded !== node) {
        changed ||=
          folded.terms.length !== node.terms.length ||
          folded.bias !== node.bias ||
          folded.terms.some((t, i) => t.map !== node.terms[i]?.map);
        replaced.set(node, folded);
      }
      continue;
    }
    const a = now(node.a);
    const b = now(node.b);
    const constant = node.kind === 'product' ? foldConstantProduct(node, a, b) : foldConstantMatMul(node, a, b);
    changed ||= constant !== null;
    if (constant !== null) replaced.set(node, constant);
    else if (a !== node.a || b !== node.b) replaced.set(node, { ...node, a, b });
  }
  return { outputs: outputs.map(now), changed };
}

/** A sum of several terms whose deepest ones enter unscaled: computing it by itself makes nothing deeper. */
function isFreeSum(node: AffineNode): boolean {
  return node.terms.length > 1 && depthOf(node) === Math.max(...node.terms.map((term) => depthOf(term.source)));
}

function foldAffine(
  node: AffineNode,
  now: (node: TensorNode) => TensorNode,
  usedOnce: (node: TensorNode) => boolean,
  shared: boolean,
): AffineNode {
  let bias = node.bias;
  const terms: AffineTerm[] = [];
  let same = true;
  const folds = (term: AffineTerm, source: AffineNode): boolean => {
    if (!usedOnce(term.source) && !(shared && source.terms.every((inner) => isMonomial(inner.map)))) return false;
    return isMonomial(term.map) || !isFreeSum(source);
  };
  for (const term of node.terms) {
    const source = now(term.source);
    if (source.kind === 'affine' && folds(term, source)) {
      for (const inner of source.terms) terms.push({ map: compose(term.map, inner.map), source: inner.source });
      if (source.bias !== null) bias = addBias(bias, term.map, source.bias);
      same = false;
    } else {
      terms.push({ map: term.map, source });
      same &&= source === term.source;
    }
  }
  const merged = mergeTerms(terms);
  if (same && merged.length === node.terms.length) return node;
  return { ...node, terms: merged, bias };
}

/** The source of a pure reshape, which users may read directly: elements are in row-major order either way. */
function aliasOf(node: AffineNode): TensorNode | null {
  const [term] = node.terms;
  if (term === undefined || node.terms.length !== 1 || node.bias?.some((x) => x !== 0)) return null;
  const { rows, cols, column, value } = term.map;
  const same = rows === cols && column.length === rows && column.every((c, r) => c === r) && value.every((v) => v === 1);
  return same ? term.source : null;
}

function addBias(bias: Float64Array | null, map: LinearMap, inner: Float64Array): Float64Array {
  const out = bias === null ? new Float64Array(map.rows) : Float64Array.from(bias);
  for (let r = 0; r < map.rows; r++) {
    const end = map.rowStart[r + 1] ?? 0;
    for (let i = map.rowStart[r] ?? 0; i < end; i++) out[r] = (out[r] ?? 0) + (map.value[i] ?? 0) * (inner[map.column[i] ?? 0] ?? 0);
  }
  return out;
}

function mergeTerms(terms: readonly AffineTerm[]): AffineTerm[] {
  const bySource = new Map<TensorNode, LinearMap>();
  for (const { map, source } of terms) {
    const before = bySource.get(source);
    bySource.set(source, before === undefined ? map : addMaps(before, map));
  }
  return [...bySource].filter(([, map]) => map.column.length > 0).map(([source, map]) => ({ map, source }));
}
