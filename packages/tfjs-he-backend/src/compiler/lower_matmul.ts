import { identity, selection } from '../graph/linear_map.js';
import { type AffineNode, type MatMulNode, sizeOf, type TensorNode } from '../graph/node.js';
import { type BicyclicGrid, bicyclicGrid, bicyclicOperand, bicyclicResult, bicyclicRotations } from './bicyclic.js';
import type { CircuitBuilder, CircuitValue, MatMulVariant } from './circuit.js';
import { gridRotations } from './emit_matmul.js';
import { emitMask, type Placed, type PlacedTerm, planTerms } from './lower_affine.js';
import type { MatMulMethod } from './options.js';
import { LEVEL_COST, planAffine } from './plan_affine.js';
import {
  featureMajor,
  gridDiagonal,
  gridScoresOperand,
  gridSpreadOperand,
  gridStandard,
  gridValuesOperand,
  type MatMulGrid,
  matMulGrid,
  matMulSlots,
  matMulSteps,
  powerOfTwoAtLeast,
  repeatedOnGrid,
  type SlotLayout,
  sameLayout,
  spreadSources,
} from './slot_layout.js';
import { fitting, tooLarge } from './too_large.js';

/** Rotations are an estimate: what takes more by this factor may still take less time. */
const WORTH_TRYING = 1.25;

/** The pass that a product is lowered in: where its operands lie, and how to bring them elsewhere. */
export interface LoweringPass {
  readonly slots: number;
  readonly matmul: MatMulMethod;
  readonly builder: CircuitBuilder;
  /** Lowers a node, once per layout. */
  place(node: TensorNode, wanted: SlotLayout | null): Placed;
  isPlaced(node: TensorNode): boolean;
  /** The layout a node has or will have by itself; null when it adapts to its user. */
  preferred(node: TensorNode): SlotLayout | null;
  placedTerms(node: AffineNode): PlacedTerm[];
  /** A node that lies `from`, in another layout. */
  move(node: TensorNode, from: Placed, layout: SlotLayout): Placed;
  emit(label: string, terms: readonly PlacedTerm[], bias: Float64Array | null, layout: SlotLayout): CircuitValue;
  /** Counts rotations, or their equivalent. @throws HeError COMPILE_FAILED beyond the most that may be spent. */
  spend(cost: number): void;
}

/** A product of encrypted matrices, in bicyclic packing or on a grid. @throws HeError COMPILE_FAILED when it does not fit. */
export function lowerMatMul(node: MatMulNode, pass: LoweringPass): Placed {
  return lowerBicyclic(node, pass) ?? lowerOnGrid(node, pass);
}

/** Null: not asked for, dearer, or too large where there is a choice. */
function lowerBicyclic(node: MatMulNode, pass: LoweringPass): Placed | null {
  const { a, b, dims, label } = node;
  const { batch, m, k, n } = dims;
  const { matmul } = pass;
  if (matmul === 'jkls') return null;
  const grid = bicyclicGrid(dims, pass.slots);
  if (grid === null) {
    if (matmul === 'auto') return null;
    const least = bicyclicGrid(dims, Number.POSITIVE_INFINITY);
    throw tooLarge(node, (least?.block ?? 0) * (least?.batch ?? 0), pass.slots, ' Or leave the option matmul at auto.');
  }
  const layouts = [bicyclicOperand(grid, 'left', batch, m, k), bicyclicOperand(grid, 'right', batch, k, n)] as const;
  if (matmul === 'auto' && !mayPay(node, grid, layouts, pass)) return null;
  const left = skew(a, layouts[0], fitting(featureMajor(a.shape), a, pass.slots), pass);
  const right = skew(b, layouts[1], fitting(featureMajor(b.shape), b, pass.slots), pass);
  pass.spend(bicyclicRotations(grid) + LEVEL_COST);
  const product = pass.builder.add(label, { kind: 'bicyclic', grid, a: left.value, b: right.value });
  const layout = bicyclicResult(grid, batch, m, n);
  return { value: emitMask(pass.builder, label, product, layout, layout.period), layout };
}

/** Whether it may be the cheaper way, by rotations, those that bring the operands into place included. */
function mayPay(
  { a, b, dims }: MatMulNode,
  grid: BicyclicGrid,
  [left, right]: readonly [SlotLayout, SlotLayout],
  pass: LoweringPass,
): boolean {
  if (matMulSlots(dims) > pass.slots) return true;
  const { batch, m, k, n } = dims;
  const full = matMulGrid(dims, pass.slots);
  const plain = gridScoresOperand(full, batch, k, n, false);
  const diagonal = gridDiagonal(full, batch, m, k);
  const own = pass.preferred(a);
  // The left operand of a values product is where its own product left it.
  const inPlace = own !== null && sameLayout(own, diagonal);
  const skewing = planAffine([{ map: identity(sizeOf(b.shape)), layout: plain }], gridScoresOperand(full, batch, k, n, true)).cost;
  const onGrid = skewing + gridRotations({ ...full, steps: powerOfTwoAtLeast(inPlace ? n : k) });
  // A mask, hence a level, follows.
  const packed = bicyclicRotations(grid) + LEVEL_COST;
  // To a bicyclic layout is farther than to the grid's.
  if (packed >= WORTH_TRYING * onGrid) return false;
  const toGrid = (inPlace ? 0 : costTo(a, gridStandard(full, batch, m, k), pass)) + costTo(b, plain, pass);
  return packed + costTo(a, left, pass) + costTo(b, right, pass) < WORTH_TRYING * (onGrid + toGrid);
}

function costTo(node: TensorNode, layout: SlotLayout, pass: LoweringPass): number {
  const own = pass.preferred(node);
  if (own !== null) return sameLayout(own, layout) ? 0 : planAffine([{ map: identity(sizeOf(node.shape)), layout: own }], layout).cost;
  return node.kind === 'affine' ? planTerms(pass.placedTerms(node), layout).cost : 0;
}

function lowerOnGrid(node: MatMulNode, pass: LoweringPass): Placed {
  const { batch, m, k, n } = node.dims;
  const needed = matMulSlots(node.dims);
  if (needed > pass.slots) throw tooLarge(node, needed, pass.slots);
  const full = matMulGrid(node.dims, pass.slots);
  const diagonal = gridDiagonal(full, batch, m, k);
  const fixed = pass.preferred(node.a);
  const values = fixed !== null && sameLayout(fixed, diagonal) && !sameLayout(diagonal, gridStandard(full, batch, m, k));
  const variant = values ? 'values' : 'scores';
  const grid = { ...full, steps: powerOfTwoAtLeast(values ? n : k) };
  const a = pass.place(node.a, values ? diagonal : repeatedOnGrid(grid, gridStandard(grid, batch, m, k)));
  const b = rightOperand(node, grid, variant, pass);
  const result = values ? repeatedOnGrid(grid, gridStandard(grid, batch, m, n)) : gridDiagonal(grid, batch, m, n);
  pass.spend(gridRotations(grid));
  const value = pass.builder.add(node.label, { kind: 'matmul', variant, grid, a: a.value, b: b.value });
  return { value, layout: fitting(result, node, pass.slots) };
}

function rightOperand(
  { b, label, dims: { batch, k, n } }: MatMulNode,
  grid: MatMulGrid,
  variant: MatMulVariant,
  pass: LoweringPass,
): Placed {
  const operandLayout = variant === 'values' ? gridValuesOperand : gridScoresOperand;
  const plain = operandLayout(grid, batch, k, n, false);
  if (matMulSteps(grid) === grid.tokens) return skew(b, operandLayout(grid, batch, k, n, true), plain, pass);
  const placed = pass.place(b, repeatedOnGrid(grid, plain));
  const map = selection(spreadSources(grid, variant, batch, k, n), sizeOf(b.shape));
  const layout = gridSpreadOperand(grid, batch);
  return { value: pass.emit(label, [{ map, placed }], null, layout), layout };
}

/**
 * The skewed operand comes from its plain layout by one map of 2 T - 1 diagonals; composed with a dense projection it would have T^2, so an affine
 * source is brought to the plain layout first when that is cheaper. The same goes for other layouts that a dense map has many diagonals to.
 */
function skew(node: TensorNode, skewed: SlotLayout, plain: SlotLayout, pass: LoweringPass): Placed {
  if (node.kind === 'affine' && !pass.isPlaced(node)) {
    const terms = node.terms.map((term) => ({ map: term.map, layout: pass.place(term.source, pass.preferred(term.source)).layout }));
    const direct = planAffine(terms, skewed).cost;
    const detour = planAffine(terms, plain).cost + planAffine([{ map: identity(sizeOf(node.shape)), layout: plain }], skewed).cost;
    if (direct <= detour) return pass.place(node, skewed);
  }
  return pass.move(node, pass.place(node, plain), skewed);
}
