import { HeError } from '../errors.js';
import { type TensorNode, topologicalOrder } from '../graph/node.js';

/**
 * What each output, by index, is in the next run: the name of an input of its shape.
 * @throws HeError PARAMETERS_INVALID.
 */
export function compileState(outputs: readonly TensorNode[], state: Readonly<Record<string, number>> = {}): ReadonlyMap<number, string> {
  const inputs = topologicalOrder(outputs).flatMap((node) => (node.kind === 'input' ? [node] : []));
  const names = new Map<number, string>();
  for (const [name, index] of Object.entries(state)) {
    const input = inputs.find((node) => node.name === name);
    const output = outputs[index];
    if (input === undefined)
      throw invalid(`no output depends on an input '${name}'`, `Name one of ${inputs.map((node) => node.name).join(', ')}.`);
    if (output === undefined || names.has(index))
      throw invalid(`state '${name}' is output ${index}`, `Give each an output of its own, from 0 to ${outputs.length - 1}.`);
    if (output.shape.join() !== input.shape.join()) {
      throw invalid(
        `state '${name}' has shape [${input.shape.join(', ')}], output ${index} [${output.shape.join(', ')}]`,
        'Give them one shape.',
      );
    }
    names.set(index, name);
  }
  if (outputs.length === names.size) throw invalid('all outputs are state', 'Leave one for the client.');
  return names;
}

function invalid(message: string, hint: string): HeError {
  return new HeError('PARAMETERS_INVALID', message, { op: 'compile', hint });
}
