import { HeError } from '../errors.js';
import type { TensorNode } from '../graph/node.js';
import { LARGEST_DEGREE } from '../parameters/security.js';
import type { SlotLayout } from './slot_layout.js';

/** The layout, if it fits. @throws HeError COMPILE_FAILED. */
export function fitting(layout: SlotLayout, node: TensorNode, slots: number): SlotLayout {
  if (layout.period > slots) throw tooLarge(node, layout.period, slots);
  return layout;
}

/** @param choice another option that may help */
export function tooLarge(node: TensorNode, needed: number, slots: number, choice = ''): HeError {
  const what = node.kind === 'matmul' ? 'the product of encrypted matrices' : 'the tensor';
  return new HeError(
    'COMPILE_FAILED',
    `${what} [${node.shape.join(', ')}] of '${node.label}' takes ${needed} slots, ${needed - slots} more than there are`,
    { op: 'lower', hint: `${tooLargeHint(needed)}${choice}` },
  );
}

function tooLargeHint(needed: number): string {
  const advice = 'make the sequence, the width or the number of heads smaller';
  return 2 * needed > LARGEST_DEGREE
    ? `The largest ring degree, ${LARGEST_DEGREE}, has ${LARGEST_DEGREE / 2} slots: ${advice}.`
    : `Allow a ring degree of ${2 * needed} in polyModulusDegrees, or ${advice}.`;
}
