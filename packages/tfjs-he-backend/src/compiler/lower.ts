import { BUG_HINT, HeError } from '../errors.js';
import { identity, selection } from '../graph/linear_map.js';
import { type AffineNode, type MatMulNode, type ProductNode, sizeOf, type TensorNode, topologicalOrder } from '../graph/node.js';
import { simplify } from '../graph/simplify.js';
import type { ProgramState } from '../program/program.js';
import { type BicyclicGrid, bicyclicGrid, bicyclicOperand, bicyclicResult, bicyclicRotations } from './bicyclic.js';
import { checkGraph } from './check_stages.js';
import { type Circuit, CircuitBuilder, type CircuitValue, type MatMulVariant } from './circuit.js';
import { gridRotations } from './emit_matmul.js';
import { expandMatMuls } from './expand_matmul.js';
import { fuseProducts } from './fuse_products.js';
import { inheritedLayout } from './inherited_layout.js';
import { freeLayouts, inputLayout, type LayoutCounts, type LayoutFamily, layoutName, productLayouts } from './layout_family.js';
import { emitAffine, emitMask, type Placed, type PlacedTerm, planTerms } from './lower_affine.js';
import type { MatMulMethod } from './options.js';
import { type AffinePlan, LEVEL_COST, planAffine } from './plan_affine.js';
import {
  featureMajor,
  featureMajorPeriod,
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
import type { SplitGraph, SplitTensor } from './split_tensors.js';

const MAX_DEGREE = 32768;
/** Rotations are an estimate: what takes more by this factor may still take less time. */
const WORTH_TRYING = 1.25;

/** A part of a tensor in one slot vector. */
export interface LoweredPart {
  readonly value: CircuitValue;
  /** Of the tensor, in the part's order. */
  readonly elements: Int32Array;
  readonly layout: SlotLayout;
}

export interface LoweredTensor {
  readonly shape: readonly number[];
  readonly parts: readonly LoweredPart[];
}

/** A circuit with the layouts of its ends; the parts' values are its inputs, and in order, its outputs. */
export interface Lowered {
  readonly circuit: Circuit;
  readonly state?: readonly ProgramState[];
  /** Tensors by layout. */
  readonly layouts: LayoutCounts;
  /** Rotations, roughly, as plans are compared by: with other operations and levels as parts of one. */
  readonly cost: number;
  readonly inputs: readonly (LoweredTensor & { readonly name: string })[];
  readonly outputs: readonly LoweredTensor[];
}

/**
 * Pass: chooses a layout for every tensor and turns the tensor graph into a slot circuit. Inputs and matmul results have fixed layouts;
 * products take the layout of an operand; affine maps go straight from the layout they find to the one their user wants (a map lowered
 * for two users in two layouts costs rotations, never a level).
 * @throws HeError COMPILE_FAILED when a tensor does not fit in `slots`.
 */
export function lower(graph: SplitGraph, slots: number, options: LowerOptions = {}): Lowered {
  const outputs = graph.outputs.flatMap(({ parts }) => parts.map(({ node }) => node));
  const expanded = expandMatMuls(outputs, slots);
  checkGraph(expanded, 'expansion of products');
  const changed = expanded.some((node, i) => node !== outputs[i]);
  return new Lowering(slots, options).run(graph, changed ? simplify(expanded) : outputs);
}

export interface LowerOptions {
  /** Outputs, by index, that take the layout of an input, by name, which they are in the next run. */
  readonly state?: ReadonlyMap<number, string>;
  /** How products of encrypted matrices are computed; `auto`, the default: in bicyclic packing where that may be cheaper. */
  readonly matmul?: MatMulMethod;
  /** Layouts wherever there is a choice (default `mixed`: whatever is cheapest to get to, which later maps may pay for). */
  readonly family?: LayoutFamily;
  /** Cost at which to give up (default: none). */
  readonly maxCost?: number;
}

class Lowering {
  private readonly builder = new CircuitBuilder();
  private readonly placed = new Map<TensorNode, Placed[]>();
  private readonly family: LayoutFamily;
  private cost = 0;

  constructor(
    private readonly slots: number,
    private readonly options: LowerOptions,
  ) {
    this.family = options.family ?? 'mixed';
  }

  run(graph: SplitGraph, outputs: readonly TensorNode[]): Lowered {
    // Before any work: no layout takes fewer slots than there are elements.
    for (const node of topologicalOrder(outputs)) {
      if (sizeOf(node.shape) > this.slots) throw tooLarge(node, featureMajorPeriod(node.shape), this.slots);
    }
    const inputs = graph.inputs.map(({ name, shape, parts }) => ({ name, shape, parts: this.placeInput(parts) }));
    const state = [...(this.options.state ?? [])].map(([output, name]) => ({
      input: inputs.findIndex((input) => input.name === name),
      output,
    }));
    // By part of an output, in order: the layout of the input it is next time.
    const wanted = graph.outputs.flatMap(({ parts }, output) => {
      const pair = state.find((candidate) => candidate.output === output);
      return parts.map((_, i) => (pair === undefined ? null : (inputs[pair.input]?.parts[i]?.layout ?? null)));
    });
    const placed = outputs.map((node, i) => this.place(node, wanted[i] ?? null));
    const kept = new Set(wanted.flatMap((layout, i) => (layout === null ? [] : [i])));
    const circuit = fuseProducts({ values: this.builder.values, outputs: placed.map(({ value }) => value), kept });
    let next = 0;
    return {
      circuit,
      inputs,
      layouts: this.countLayouts(),
      cost: this.cost,
      ...(state.length === 0 ? {} : { state }),
      outputs: graph.outputs.map(({ shape, parts }) => ({
        shape,
        parts: parts.flatMap(({ elements }): LoweredPart[] => {
          const value = circuit.outputs[next];
          const layout = placed[next++]?.layout;
          return value === undefined || layout === undefined ? [] : [{ value, elements, layout }];
        }),
      })),
    };
  }

  /** Parts lie alike: with the period of the largest. */
  private placeInput(parts: SplitTensor['parts']): LoweredPart[] {
    // Copies are for inputs in one part, of which the client sends every run a new one.
    const kept = parts.length > 1 || (this.options.state?.size ?? 0) > 0;
    const family = kept && this.family === 'replicated' ? 'feature-major' : this.family;
    const layouts = parts.map(({ node }) => this.fitting(inputLayout(family, node.shape, this.slots), node));
    const period = Math.max(...layouts.map((layout) => layout.period));
    return parts.flatMap(({ node, elements }, i): LoweredPart[] => {
      const own = layouts[i];
      if (node.kind !== 'input' || own === undefined) return [];
      const layout = { ...own, period };
      const value = this.builder.add(node.label, { kind: 'input', name: node.name });
      this.remember(node, { value, layout });
      return [{ value, elements, layout }];
    });
  }

  /** Lowers a node (once per layout). `wanted` null: whatever layout is cheapest. */
  private place(node: TensorNode, wanted: SlotLayout | null): Placed {
    const before = this.placed.get(node) ?? [];
    const same = before.find((placed) => wanted === null || sameLayout(placed.layout, wanted));
    if (same !== undefined) return same;
    const [first] = before;
    if (wanted !== null && first !== undefined && node.kind !== 'affine') return this.remember(node, this.relayout(node, first, wanted));
    const placed = this.lowerNode(node, wanted);
    if (wanted !== null && !sameLayout(placed.layout, wanted)) return this.remember(node, this.relayout(node, placed, wanted));
    return placed;
  }

  private lowerNode(node: TensorNode, wanted: SlotLayout | null): Placed {
    switch (node.kind) {
      case 'input':
        throw new HeError('GRAPH_INVALID', 'an input is not among the placed nodes', { hint: BUG_HINT });
      case 'affine':
        return this.remember(node, this.lowerAffine(node, wanted));
      case 'product':
        return this.remember(node, this.lowerProduct(node, wanted));
      case 'matmul':
        return this.remember(node, this.lowerMatMul(node));
    }
  }

  private remember(node: TensorNode, placed: Placed): Placed {
    const list = this.placed.get(node);
    if (list === undefined) this.placed.set(node, [placed]);
    else list.push(placed);
    return placed;
  }

  private relayout(node: TensorNode, from: Placed, layout: SlotLayout): Placed {
    return { value: this.emit(node.label, [{ map: identity(sizeOf(node.shape)), placed: from }], null, layout), layout };
  }

  private emit(
    label: string,
    terms: readonly PlacedTerm[],
    bias: Float64Array | null,
    layout: SlotLayout,
    planned?: AffinePlan,
  ): CircuitValue {
    const plan = planned ?? planTerms(terms, layout);
    // Before the diagonals are made, which may be thousands.
    this.spend(plan.cost);
    return emitAffine(this.builder, label, terms, bias, layout, plan);
  }

  private spend(cost: number): void {
    this.cost += cost;
    if (this.cost > (this.options.maxCost ?? Number.POSITIVE_INFINITY)) throw tooDear(this.family);
  }

  private lowerAffine(node: AffineNode, wanted: SlotLayout | null): Placed {
    const terms = this.placedTerms(node);
    const candidates = wanted === null ? this.freeLayouts(node, terms) : [wanted];
    let best: { plan: AffinePlan; layout: SlotLayout } | null = null;
    for (const layout of candidates) {
      const plan = planTerms(terms, layout);
      if (best === null || plan.cost < best.plan.cost) best = { plan, layout };
    }
    if (best === null) throw tooLarge(node, featureMajorPeriod(node.shape), this.slots);
    this.fitting(best.layout, node);
    return { value: this.emit(node.label, terms, node.bias, best.layout, best.plan), layout: best.layout };
  }

  /** Layouts a free-standing affine result may take. */
  private freeLayouts({ shape }: AffineNode, terms: readonly PlacedTerm[]): SlotLayout[] {
    return freeLayouts(this.family, shape, inheritedLayouts(shape, terms), this.slots);
  }

  private lowerProduct(node: ProductNode, wanted: SlotLayout | null): Placed {
    const layout = this.fitting(this.preferred(node) ?? wanted ?? this.productLayout(node), node);
    const a = this.place(node.a, layout);
    const b = node.b === node.a ? a : this.place(node.b, layout);
    this.spend(1);
    return { value: this.builder.add(node.label, { kind: 'product', a: a.value, b: b.value }), layout };
  }

  /** Of a product whose operands both adapt: feature-major, or that which an operand inherits, whichever is cheaper to bring both to. */
  private productLayout(node: ProductNode): SlotLayout {
    const operands = (node.a === node.b ? [node.a] : [node.a, node.b]).filter((operand) => operand.kind === 'affine');
    const terms = operands.map((operand) => this.placedTerms(operand));
    const inherited = operands.flatMap((operand, i) => inheritedLayouts(operand.shape, terms[i] ?? []));
    let best = { layout: featureMajor(node.shape), cost: Number.POSITIVE_INFINITY };
    for (const layout of productLayouts(this.family, node.shape, inherited, this.slots)) {
      const cost = terms.reduce((sum, own) => sum + planTerms(own, layout).cost, 0);
      if (cost < best.cost) best = { layout, cost };
    }
    return best.layout;
  }

  private placedTerms(node: AffineNode): PlacedTerm[] {
    return node.terms.map((term) => ({ map: term.map, placed: this.place(term.source, this.preferred(term.source)) }));
  }

  private lowerMatMul(node: MatMulNode): Placed {
    return this.lowerBicyclic(node) ?? this.lowerOnGrid(node);
  }

  /** Null: not asked for, dearer, or too large where there is a choice. */
  private lowerBicyclic(node: MatMulNode): Placed | null {
    const { a, b, dims, label } = node;
    const { batch, m, k, n } = dims;
    const { matmul = 'auto' } = this.options;
    if (matmul === 'jkls') return null;
    const grid = bicyclicGrid(dims, this.slots);
    if (grid === null) {
      if (matmul === 'auto') return null;
      const least = bicyclicGrid(dims, Number.POSITIVE_INFINITY);
      throw tooLarge(node, (least?.block ?? 0) * (least?.batch ?? 0), this.slots);
    }
    const layouts = [bicyclicOperand(grid, 'left', batch, m, k), bicyclicOperand(grid, 'right', batch, k, n)] as const;
    if (matmul === 'auto' && !this.mayPay(node, grid, layouts)) return null;
    const left = this.skew(a, layouts[0], this.fitting(featureMajor(a.shape), a));
    const right = this.skew(b, layouts[1], this.fitting(featureMajor(b.shape), b));
    this.spend(bicyclicRotations(grid) + LEVEL_COST);
    const product = this.builder.add(label, { kind: 'bicyclic', grid, a: left.value, b: right.value });
    const layout = bicyclicResult(grid, batch, m, n);
    return { value: emitMask(this.builder, label, product, layout, layout.period), layout };
  }

  /** Whether it may be the cheaper way, by rotations, those that bring the operands into place included. */
  private mayPay({ a, b, dims }: MatMulNode, grid: BicyclicGrid, [left, right]: readonly [SlotLayout, SlotLayout]): boolean {
    if (matMulSlots(dims) > this.slots) return true;
    const { batch, m, k, n } = dims;
    const full = matMulGrid(dims, this.slots);
    const plain = gridScoresOperand(full, batch, k, n, false);
    const diagonal = gridDiagonal(full, batch, m, k);
    const own = this.preferred(a);
    // The left operand of a values product is where its own product left it.
    const inPlace = own !== null && sameLayout(own, diagonal);
    const skew = planAffine([{ map: identity(sizeOf(b.shape)), layout: plain }], gridScoresOperand(full, batch, k, n, true)).cost;
    const onGrid = skew + gridRotations({ ...full, steps: powerOfTwoAtLeast(inPlace ? n : k) });
    // A mask, hence a level, follows.
    const packed = bicyclicRotations(grid) + LEVEL_COST;
    // To a bicyclic layout is farther than to the grid's.
    if (packed >= WORTH_TRYING * onGrid) return false;
    const toGrid = (inPlace ? 0 : this.costTo(a, gridStandard(full, batch, m, k))) + this.costTo(b, plain);
    return packed + this.costTo(a, left) + this.costTo(b, right) < WORTH_TRYING * (onGrid + toGrid);
  }

  private costTo(node: TensorNode, layout: SlotLayout): number {
    const own = this.preferred(node);
    if (own !== null) return sameLayout(own, layout) ? 0 : planAffine([{ map: identity(sizeOf(node.shape)), layout: own }], layout).cost;
    return node.kind === 'affine' ? planTerms(this.placedTerms(node), layout).cost : 0;
  }

  private lowerOnGrid(node: MatMulNode): Placed {
    const { batch, m, k, n } = node.dims;
    const needed = matMulSlots(node.dims);
    if (needed > this.slots) throw tooLarge(node, needed, this.slots);
    const full = matMulGrid(node.dims, this.slots);
    const diagonal = gridDiagonal(full, batch, m, k);
    const fixed = this.preferred(node.a);
    const values = fixed !== null && sameLayout(fixed, diagonal) && !sameLayout(diagonal, gridStandard(full, batch, m, k));
    const variant = values ? 'values' : 'scores';
    const grid = { ...full, steps: powerOfTwoAtLeast(values ? n : k) };
    const a = this.place(node.a, values ? diagonal : repeatedOnGrid(grid, gridStandard(grid, batch, m, k)));
    const b = this.rightOperand(node, grid, variant);
    const result = values ? repeatedOnGrid(grid, gridStandard(grid, batch, m, n)) : gridDiagonal(grid, batch, m, n);
    this.spend(gridRotations(grid));
    const value = this.builder.add(node.label, { kind: 'matmul', variant, grid, a: a.value, b: b.value });
    return { value, layout: this.fitting(result, node) };
  }

  private rightOperand({ b, label, dims: { batch, k, n } }: MatMulNode, grid: MatMulGrid, variant: MatMulVariant): Placed {
    const operandLayout = variant === 'values' ? gridValuesOperand : gridScoresOperand;
    const plain = operandLayout(grid, batch, k, n, false);
    if (matMulSteps(grid) === grid.tokens) return this.skew(b, operandLayout(grid, batch, k, n, true), plain);
    const placed = this.place(b, repeatedOnGrid(grid, plain));
    const map = selection(spreadSources(grid, variant, batch, k, n), sizeOf(b.shape));
    const layout = gridSpreadOperand(grid, batch);
    return { value: this.emit(label, [{ map, placed }], null, layout), layout };
  }

  /**
   * The skewed operand comes from its plain layout by one map of 2 T - 1 diagonals; composed with a dense projection it would have T^2, so an affine
   * source is brought to the plain layout first when that is cheaper. The same goes for other layouts that a dense map has many diagonals to.
   */
  private skew(node: TensorNode, skewed: SlotLayout, plain: SlotLayout): Placed {
    if (node.kind === 'affine' && this.placed.get(node) === undefined) {
      const terms = node.terms.map((term) => ({ map: term.map, layout: this.place(term.source, this.preferred(term.source)).layout }));
      const direct = planAffine(terms, skewed).cost;
      const detour = planAffine(terms, plain).cost + planAffine([{ map: identity(sizeOf(node.shape)), layout: plain }], skewed).cost;
      if (direct <= detour) return this.place(node, skewed);
    }
    return this.remember(node, this.relayout(node, this.place(node, plain), skewed));
  }

  /** The layout a node has or will have by itself; null when it adapts to its user. */
  private preferred(node: TensorNode): SlotLayout | null {
    const [placed] = this.placed.get(node) ?? [];
    if (placed !== undefined) return placed.layout;
    switch (node.kind) {
      case 'input':
      case 'affine':
        return null;
      case 'product':
        return this.preferred(node.a) ?? this.preferred(node.b);
      case 'matmul':
        return this.place(node, null).layout;
    }
  }

  private countLayouts(): LayoutCounts {
    const counts: Partial<Record<keyof LayoutCounts, number>> = {};
    for (const [{ shape }, [first]] of this.placed) {
      if (first === undefined) continue;
      const name = layoutName(shape, first.layout);
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  private fitting(layout: SlotLayout, node: TensorNode): SlotLayout {
    if (layout.period > this.slots) throw tooLarge(node, layout.period, this.slots);
    return layout;
  }
}

/** Layouts of a map's result that leave elements where they are read from. */
function inheritedLayouts(shape: readonly number[], terms: readonly PlacedTerm[]): SlotLayout[] {
  return terms.flatMap(({ map, placed }) => inheritedLayout(shape, map, placed.layout) ?? []);
}

function tooDear(family: LayoutFamily): HeError {
  return new HeError('COMPILE_FAILED', `${family} layouts take many times the rotations of those chosen by cost`, {
    op: 'lower',
    hint: 'Leave the option layout at auto.',
  });
}

function tooLarge(node: TensorNode, needed: number, slots: number): HeError {
  const what = node.kind === 'matmul' ? 'the product of encrypted matrices' : 'the tensor';
  return new HeError(
    'COMPILE_FAILED',
    `${what} [${node.shape.join(', ')}] of '${node.label}' takes ${needed} slots, ${needed - slots} more than there are`,
    { op: 'lower', hint: tooLargeHint(needed) },
  );
}

function tooLargeHint(needed: number): string {
  const advice = 'make the sequence, the width or the number of heads smaller';
  return 2 * needed > MAX_DEGREE
    ? `The largest ring degree, ${MAX_DEGREE}, has ${MAX_DEGREE / 2} slots: ${advice}.`
    : `Allow a ring degree of ${2 * needed} in polyModulusDegrees, or ${advice}.`;
}
