import { BUG_HINT, HeError } from '../errors.js';
import { identity } from '../graph/linear_map.js';
import { type AffineNode, type ProductNode, sizeOf, type TensorNode, topologicalOrder } from '../graph/node.js';
import { simplify } from '../graph/simplify.js';
import { checkGraph } from './check_stages.js';
import { CircuitBuilder, type CircuitValue } from './circuit.js';
import { expandMatMuls } from './expand_matmul.js';
import { fuseProducts } from './fuse_products.js';
import { inheritedLayout } from './inherited_layout.js';
import { freeLayouts, inputLayout, type LayoutCounts, type LayoutFamily, layoutName, productLayouts } from './layout_family.js';
import { emitAffine, type Placed, type PlacedTerm, planTerms } from './lower_affine.js';
import { type LoweringPass, lowerMatMul } from './lower_matmul.js';
import type { Lowered, LoweredPart } from './lowered.js';
import type { MatMulMethod } from './options.js';
import type { AffinePlan } from './plan_affine.js';
import { featureMajor, featureMajorPeriod, type SlotLayout, sameLayout } from './slot_layout.js';
import type { SplitGraph, SplitTensor } from './split_tensors.js';
import { fitting, tooLarge } from './too_large.js';

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

class Lowering implements LoweringPass {
  readonly builder = new CircuitBuilder();
  private readonly placed = new Map<TensorNode, Placed[]>();
  readonly matmul: MatMulMethod;
  private readonly family: LayoutFamily;
  private cost = 0;

  constructor(
    readonly slots: number,
    private readonly options: LowerOptions,
  ) {
    this.family = options.family ?? 'mixed';
    this.matmul = options.matmul ?? 'auto';
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
    const layouts = parts.map(({ node }) => fitting(inputLayout(family, node.shape, this.slots), node, this.slots));
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
  place(node: TensorNode, wanted: SlotLayout | null): Placed {
    const before = this.placed.get(node) ?? [];
    const same = before.find((placed) => wanted === null || sameLayout(placed.layout, wanted));
    if (same !== undefined) return same;
    const [first] = before;
    if (wanted !== null && first !== undefined && node.kind !== 'affine') return this.move(node, first, wanted);
    const placed = this.lowerNode(node, wanted);
    if (wanted !== null && !sameLayout(placed.layout, wanted)) return this.move(node, placed, wanted);
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
        return this.remember(node, lowerMatMul(node, this));
    }
  }

  private remember(node: TensorNode, placed: Placed): Placed {
    const list = this.placed.get(node);
    if (list === undefined) this.placed.set(node, [placed]);
    else list.push(placed);
    return placed;
  }

  isPlaced(node: TensorNode): boolean {
    return this.placed.has(node);
  }

  move(node: TensorNode, from: Placed, layout: SlotLayout): Placed {
    const value = this.emit(node.label, [{ map: identity(sizeOf(node.shape)), placed: from }], null, layout);
    return this.remember(node, { value, layout });
  }

  emit(label: string, terms: readonly PlacedTerm[], bias: Float64Array | null, layout: SlotLayout, planned?: AffinePlan): CircuitValue {
    const plan = planned ?? planTerms(terms, layout);
    // Before the diagonals are made, which may be thousands.
    this.spend(plan.cost);
    return emitAffine(this.builder, label, terms, bias, layout, plan);
  }

  spend(cost: number): void {
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
    fitting(best.layout, node, this.slots);
    return { value: this.emit(node.label, terms, node.bias, best.layout, best.plan), layout: best.layout };
  }

  /** Layouts a free-standing affine result may take. */
  private freeLayouts({ shape }: AffineNode, terms: readonly PlacedTerm[]): SlotLayout[] {
    return freeLayouts(this.family, shape, inheritedLayouts(shape, terms), this.slots);
  }

  private lowerProduct(node: ProductNode, wanted: SlotLayout | null): Placed {
    const layout = fitting(this.preferred(node) ?? wanted ?? this.productLayout(node), node, this.slots);
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

  placedTerms(node: AffineNode): PlacedTerm[] {
    return node.terms.map((term) => ({ map: term.map, placed: this.place(term.source, this.preferred(term.source)) }));
  }

  /** The layout a node has or will have by itself; null when it adapts to its user. */
  preferred(node: TensorNode): SlotLayout | null {
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
