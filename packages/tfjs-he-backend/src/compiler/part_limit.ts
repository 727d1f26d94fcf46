import { HeError } from '../errors.js';
import { sizeOf, type TensorNode, topologicalOrder } from '../graph/node.js';
import { LARGEST_DEGREE } from '../parameters/security.js';
import { MAX_CIPHERTEXTS } from '../wire/layout.js';
import { countByFeatures } from './partition.js';

/**
 * Before any work: no tensor has more elements than the largest number of ciphertexts has slots.
 * @throws HeError COMPILE_FAILED.
 */
export function requirePartsFit(outputs: readonly TensorNode[], slots: number): void {
  for (const node of topologicalOrder(outputs)) {
    if (sizeOf(node.shape) > MAX_CIPHERTEXTS * slots) throw tooManyParts(node, countByFeatures(node.shape, slots), slots);
  }
}

export function tooManyParts({ shape, label }: TensorNode, count: number, slots: number): HeError {
  return new HeError(
    'COMPILE_FAILED',
    `the tensor [${shape.join(', ')}] of '${label}' takes ${count} ciphertexts of ${slots} slots, ${count - MAX_CIPHERTEXTS} more than a tensor may`,
    {
      op: 'lower',
      hint: `${2 * slots < LARGEST_DEGREE ? 'Allow a larger ring degree in polyModulusDegrees, or make' : 'Make'} the sequence, the width or the number of heads smaller.`,
    },
  );
}
