import { BUG_HINT, HeError } from '../errors.js';
import { constantOf } from '../graph/constants.js';
import { identity, type LinearMap } from '../graph/linear_map.js';
import {
  type AffineNode,
  type AffineTerm,
  type MatMulNode,
  type ProductNode,
  sizeOf,
  type TensorNode,
  topologicalOrder,
} from '../graph/node.js';
import { simplify } from '../graph/simplify.js';
import { MAX_CIPHERTEXTS } from '../wire/layout.js';
import { blockMaps } from './block_maps.js';
import { tooManyParts } from './part_limit.js';
import { byFeatures, inheritedPartition, type Partition, samePartition, whole } from './partition.js';
import { type MatMulTiles, matMulTiles } from './split_matmul.js';

/** A tensor as nodes that fit in one ciphertext each. */
export interface SplitTensor {
  readonly shape: readonly number[];
  readonly parts: readonly { readonly node: TensorNode; readonly elements: Int32Array }[];
}

export interface SplitGraph {
  readonly inputs: readonly (SplitTensor & { readonly name: string })[];
  readonly outputs: readonly SplitTensor[];
}

export interface SplitOptions {
  readonly slots: number;
  /** Matrix products get parts as small as lets their right operand lie twice in every block of tokens. */
  readonly doubled: boolean;
  /** Outputs, by index, that are divided like an input, by name, which they are in the next run. */
  readonly state?: ReadonlyMap<number, string>;
}

/** The same graph with every tensor in one part. */
export function unsplit(outputs: readonly TensorNode[]): SplitGraph {
  const tensor = (node: TensorNode): SplitTensor => ({
    shape: node.shape,
    parts: whole(node.shape).map(({ elements }) => ({ node, elements })),
  });
  const inputs = topologicalOrder(outputs).flatMap((node) => (node.kind === 'input' ? [{ ...tensor(node), name: node.name }] : []));
  return { inputs, outputs: outputs.map(tensor) };
}

/**
 * Pass: tensors that do not fit in a ciphertext of `slots` become several nodes. An affine map becomes one per part of its result, over the parts of
 * its sources; a product one per part; a product of matrices one per group of heads, or per tile, summed. Like layouts, partitions are chosen by
 * users: an affine map goes straight into that which its user wants, products take that of an operand. Values are unchanged.
 * @throws HeError COMPILE_FAILED when a tensor would take more than {@link MAX_CIPHERTEXTS}.
 */
export function splitTensors(outputs: readonly TensorNode[], options: SplitOptions): SplitGraph {
  const splitting = new Splitting(options, outputs);
  const inputs = topologicalOrder(outputs).flatMap((node) => (node.kind === 'input' ? [splitting.input(node)] : []));
  const split = outputs.map((node, i) => {
    const next = inputs.find(({ name }) => name === options.state?.get(i));
    return {
      node,
      ...splitting.place(node, next === undefined ? null : next.parts.map(({ node: part, elements }) => ({ shape: part.shape, elements }))),
    };
  });
  const simplified = simplify(split.flatMap(({ nodes }) => nodes));
  let next = 0;
  const someInput = inputs[0]?.parts[0]?.node;
  return {
    inputs,
    outputs: split.map(({ node, partition }) => ({
      shape: node.shape,
      parts: partition.map(({ elements }) => {
        const part = simplified[next++];
        if (part === undefined || someInput === undefined) throw bug('a part is missing');
        return { node: constantOf(part) === null ? part : encrypted(part, someInput), elements };
      }),
    })),
  };
}

/** A tensor's parts, in the order of the partition. */
interface Split {
  readonly partition: Partition;
  readonly nodes: readonly TensorNode[];
}

class Splitting {
  private readonly done = new Map<TensorNode, Split[]>();
  private nextId: number;

  constructor(
    private readonly options: SplitOptions,
    outputs: readonly TensorNode[],
  ) {
    this.nextId = 1 + topologicalOrder(outputs).reduce((largest, { id }) => Math.max(largest, id), 0);
  }

  input(node: Extract<TensorNode, { kind: 'input' }>): SplitTensor & { readonly name: string } {
    const { partition, nodes } = this.place(node, null);
    const parts = partition.flatMap(({ elements }, i) => {
      const part = nodes[i];
      return part === undefined ? [] : [{ node: part, elements }];
    });
    return { name: node.name, shape: node.shape, parts };
  }

  /** Splits a node (once per partition). `wanted` null: as suits it. */
  place(node: TensorNode, wanted: Partition | null): Split {
    const before = this.done.get(node) ?? [];
    const same = before.find(({ partition }) => wanted === null || samePartition(partition, wanted));
    if (same !== undefined) return same;
    const [first] = before;
    const split = first !== undefined && node.kind !== 'affine' ? first : this.remember(node, this.split(node, wanted));
    if (wanted === null || samePartition(split.partition, wanted)) return split;
    const terms = [{ map: identity(sizeOf(node.shape)), split }];
    return this.remember(node, { partition: wanted, nodes: this.affineParts(node, terms, null, wanted) });
  }

  private remember(node: TensorNode, split: Split): Split {
    if (split.partition.length > MAX_CIPHERTEXTS) throw tooManyParts(node, split.partition.length, this.options.slots);
    const list = this.done.get(node);
    if (list === undefined) this.done.set(node, [split]);
    else list.push(split);
    return split;
  }

  private split(node: TensorNode, wanted: Partition | null): Split {
    switch (node.kind) {
      case 'input': {
        const partition = byFeatures(node.shape, this.options.slots);
        if (partition.length === 1) return { partition, nodes: [node] };
        // A name that no caller can have given.
        const nodes = partition.map(({ shape }, i) => ({ ...node, id: this.nextId++, shape, name: `${node.name}\0${i}` }));
        return { partition, nodes };
      }
      case 'affine': {
        const terms = node.terms.map(({ map, source }) => ({ map, split: this.place(source, this.preferred(source)) }));
        const partition = wanted ?? this.freePartition(node, terms);
        return { partition, nodes: this.affineParts(node, terms, node.bias, partition) };
      }
      case 'product':
        return this.splitProduct(node, wanted);
      case 'matmul':
        return this.splitMatMul(node);
    }
  }

  private freePartition(node: TensorNode, terms: readonly { readonly map: LinearMap; readonly split: Split }[]): Partition {
    const { slots } = this.options;
    const sources = terms.map(({ map, split }) => ({ map, partition: split.partition }));
    return inheritedPartition(node.shape, sources, slots) ?? byFeatures(node.shape, slots);
  }

  private splitProduct(node: ProductNode, wanted: Partition | null): Split {
    const partition = this.preferred(node) ?? wanted ?? this.freeProductPartition(node);
    const a = this.place(node.a, partition).nodes;
    const b = this.place(node.b, partition).nodes;
    if (a.length === 1 && a[0] === node.a && b[0] === node.b) return { partition, nodes: [node] };
    const nodes = partition.map(({ shape }, i): TensorNode => {
      const [x, y] = [a[i], b[i]];
      if (x === undefined || y === undefined) throw bug('a part of a product is missing');
      return { ...node, id: this.nextId++, shape, a: x, b: y };
    });
    return { partition, nodes };
  }

  /** Of a product whose operands both adapt: the parts that an operand would take by itself, if those are several. */
  private freeProductPartition(node: ProductNode): Partition {
    for (const operand of [node.a, node.b]) {
      if (operand.kind !== 'affine') continue;
      const terms = operand.terms.map(({ map, source }) => ({ map, split: this.place(source, this.preferred(source)) }));
      const partition = this.freePartition(operand, terms);
      if (partition.length > 1) return partition;
    }
    return byFeatures(node.shape, this.options.slots);
  }

  private splitMatMul(node: MatMulNode): Split {
    const tiles: MatMulTiles = matMulTiles(node.dims, this.options);
    const { nodes: a } = this.place(node.a, tiles.a);
    const { nodes: b } = this.place(node.b, tiles.b);
    if (tiles.result.length === 1 && a[0] === node.a && b[0] === node.b && tiles.sums[0]?.length === 1)
      return { partition: tiles.result, nodes: [node] };
    const nodes = tiles.result.map(({ shape }, i): TensorNode => {
      const products = (tiles.sums[i] ?? []).map(({ a: left, b: right, dims }): TensorNode => {
        const [x, y] = [a[left], b[right]];
        if (x === undefined || y === undefined) throw bug('a tile of a matmul is missing');
        return { ...node, id: this.nextId++, shape, a: x, b: y, dims };
      });
      const [only] = products;
      if (only !== undefined && products.length === 1) return only;
      const terms = products.map((source) => ({ map: identity(sizeOf(shape)), source }));
      return { kind: 'affine', id: this.nextId++, label: node.label, shape, terms, bias: null };
    });
    return { partition: tiles.result, nodes };
  }

  private affineParts(
    { label }: TensorNode,
    terms: readonly { readonly map: LinearMap; readonly split: Split }[],
    bias: Float64Array | null,
    partition: Partition,
  ): AffineNode[] {
    const blocks = terms.map(({ map, split }) => ({ split, maps: blockMaps(map, partition, split.partition) }));
    return partition.map(({ shape, elements }, row) => {
      const own = blocks.flatMap(({ split, maps }) =>
        split.nodes.flatMap((source, column): AffineTerm[] => {
          const map = maps[row]?.[column];
          return map === undefined || map.column.length === 0 ? [] : [{ map, source }];
        }),
      );
      const partBias = bias === null ? null : Float64Array.from(elements, (element) => bias[element] ?? 0);
      return { kind: 'affine', id: this.nextId++, label, shape, terms: own, bias: partBias };
    });
  }

  /** The partition a node has or will have by itself; null when it adapts to its user. */
  private preferred(node: TensorNode): Partition | null {
    const [split] = this.done.get(node) ?? [];
    if (split !== undefined) return split.partition;
    switch (node.kind) {
      case 'affine':
        return null;
      case 'product':
        return this.preferred(node.a) ?? this.preferred(node.b);
      default:
        return this.place(node, null).partition;
    }
  }
}

/** Far below the precision of any scale: it vanishes when it is encoded. */
const VANISHING = 1e-300;

/** A part of an output that depends on no input still needs a ciphertext. */
function encrypted(constant: TensorNode, source: TensorNode): TensorNode {
  const cols = sizeOf(source.shape);
  const rows = sizeOf(constant.shape);
  const map = { rows, cols, rowStart: new Int32Array(rows + 1).fill(1, 1), column: Int32Array.of(0), value: Float64Array.of(VANISHING) };
  return { ...constant, kind: 'affine', terms: [{ map, source }], bias: constantOf(constant) };
}

function bug(what: string): HeError {
  return new HeError('COMPILE_FAILED', what, { op: 'lower', hint: BUG_HINT });
}
