import { BUG_HINT, HeError } from '../errors.js';
import { applyMap } from './linear_map.js';
import { type MatMulNode, type TensorNode, topologicalOrder } from './node.js';

/**
 * Reference evaluator: the tensor graph in float64, in the clear. What every later stage is tested against.
 * @param inputs values by input name, row-major
 */
export function evaluateGraph(outputs: readonly TensorNode[], inputs: ReadonlyMap<string, ArrayLike<number>>): Float64Array[] {
  const values = new Map<TensorNode, Float64Array>();
  const lookUp = (node: TensorNode): Float64Array => {
    const value = values.get(node);
    if (value === undefined) throw new HeError('GRAPH_INVALID', 'node used before it is computed', { hint: BUG_HINT });
    return value;
  };
  for (const node of topologicalOrder(outputs)) values.set(node, evaluateNode(node, lookUp, inputs));
  return outputs.map(lookUp);
}

function evaluateNode(
  node: TensorNode,
  lookUp: (node: TensorNode) => Float64Array,
  inputs: ReadonlyMap<string, ArrayLike<number>>,
): Float64Array {
  switch (node.kind) {
    case 'input': {
      const value = inputs.get(node.name);
      if (value === undefined)
        throw new HeError('GRAPH_INVALID', `no value for input '${node.name}'`, { hint: 'Give every input a value.' });
      return Float64Array.from(value);
    }
    case 'affine': {
      const out = node.bias === null ? new Float64Array(node.shape.reduce((p, d) => p * d, 1)) : Float64Array.from(node.bias);
      for (const { map, source } of node.terms) {
        const part = applyMap(map, lookUp(source));
        for (let i = 0; i < out.length; i++) out[i] = (out[i] ?? 0) + (part[i] ?? 0);
      }
      return out;
    }
    case 'product': {
      const b = lookUp(node.b);
      return lookUp(node.a).map((x, i) => x * (b[i] ?? 0));
    }
    case 'matmul':
      return matMul(node, lookUp(node.a), lookUp(node.b));
  }
}

function matMul({ dims: { batch, m, k, n } }: MatMulNode, a: Float64Array, b: Float64Array): Float64Array {
  const out = new Float64Array(batch * m * n);
  for (let h = 0; h < batch; h++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) sum += (a[(h * m + i) * k + l] ?? 0) * (b[(h * k + l) * n + j] ?? 0);
        out[(h * m + i) * n + j] = sum;
      }
    }
  }
  return out;
}
