import { BUG_HINT, HeError } from '../errors.js';
import type { LinearMap } from './linear_map.js';
import { type AffineNode, type AffineTerm, type InputNode, type MatMulNode, type ProductNode, sizeOf, type TensorNode } from './node.js';

/** Makes nodes, numbers them, and stamps them with the label of the layer that is running. */
export class Recorder {
  private nextId = 0;
  /** Set by the tracer whenever a layer starts. */
  label = '';

  input(name: string, shape: readonly number[]): InputNode {
    return { kind: 'input', name, ...this.base(shape) };
  }

  /** @throws HeError GRAPH_INVALID when sizes do not fit. */
  affine(shape: readonly number[], terms: readonly AffineTerm[], bias: Float64Array | null = null): AffineNode {
    const size = sizeOf(shape);
    const fits = terms.every((term) => term.map.rows === size && term.map.cols === sizeOf(term.source.shape));
    if (!fits || (bias !== null && bias.length !== size)) throw mismatch('affine');
    return { kind: 'affine', terms, bias, ...this.base(shape) };
  }

  /** map * source + bias. */
  linear(shape: readonly number[], source: TensorNode, map: LinearMap, bias: Float64Array | null = null): AffineNode {
    return this.affine(shape, [{ map, source }], bias);
  }

  product(a: TensorNode, b: TensorNode): ProductNode {
    if (a.shape.join() !== b.shape.join()) throw mismatch('product');
    return { kind: 'product', a, b, ...this.base(a.shape) };
  }

  matMul(shape: readonly number[], a: TensorNode, b: TensorNode, dims: MatMulNode['dims']): MatMulNode {
    const { batch, m, k, n } = dims;
    if (sizeOf(a.shape) !== batch * m * k || sizeOf(b.shape) !== batch * k * n || sizeOf(shape) !== batch * m * n) throw mismatch('matmul');
    return { kind: 'matmul', a, b, dims, ...this.base(shape) };
  }

  private base(shape: readonly number[]): { id: number; shape: readonly number[]; label: string } {
    return { id: this.nextId++, shape: [...shape], label: this.label };
  }
}

function mismatch(what: string): HeError {
  return new HeError('GRAPH_INVALID', `operand sizes of a ${what} node do not fit`, { hint: BUG_HINT });
}
