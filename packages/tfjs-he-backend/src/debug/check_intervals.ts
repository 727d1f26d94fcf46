import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type InputShapes, type TensorFunction, trace } from '../compiler/trace.js';
import { HeError } from '../errors.js';
import { checkDeclaredIntervals, type IntervalCheck } from '../graph/declared_intervals.js';
import { topologicalOrder } from '../graph/node.js';

/**
 * Tells, for every polynomial over an interval, reciprocal and inverse square root of a model or function, which values it gets: outside of its interval a polynomial is far off, and a
 * server cannot see it. In the clear: for the owner of the data, or for a sample.
 * @param inputs values of the inputs that the outputs depend on, row-major, in order
 * @param shapes as for `compile`
 * @throws HeError ENCODE_INVALID (number of inputs), and those of `compile` for models that cannot be recorded.
 */
export async function checkIntervals(
  source: LayersModel | TensorFunction,
  inputs: readonly ArrayLike<number>[],
  shapes: InputShapes = {},
): Promise<IntervalCheck[]> {
  const outputs = await trace(source, shapes);
  const nodes = topologicalOrder(outputs).filter((node) => node.kind === 'input');
  nodes.sort((a, b) => a.id - b.id);
  if (inputs.length !== nodes.length) {
    throw new HeError('ENCODE_INVALID', `${inputs.length} inputs where the outputs depend on ${nodes.length}`, {
      op: 'checkIntervals',
      hint: `Give the values of ${nodes.map(({ name }) => `'${name}'`).join(', ')}.`,
    });
  }
  return checkDeclaredIntervals(outputs, new Map(nodes.map(({ name }, i) => [name, inputs[i] ?? []])));
}
