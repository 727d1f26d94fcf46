import { HeError } from '../errors.js';
import { type TensorNode, topologicalOrder } from '../graph/node.js';
import { checkCircuit } from './check_stages.js';
import { type Lowered, lower } from './lower.js';
import { matMulTiles } from './split_matmul.js';
import { splitTensors, unsplit } from './split_tensors.js';

/** Circuits worth trying at one number of slots, or why there are none. */
export type Lowerings = (slots: number) => readonly Lowered[] | HeError;

/**
 * The circuits of a graph, by the number of slots. If its tensors fit whole for one of `slotCounts` (ascending), one circuit for the smallest such number: layouts fit
 * in any larger ciphertext. Else, for every number, tensors over several ciphertexts; matrix products in as few parts as possible, and in parts that fit twice.
 */
export function createLowerings(outputs: readonly TensorNode[], slotCounts: readonly number[]): Lowerings {
  let reason: HeError | null = null;
  for (const enough of slotCounts) {
    const whole = attempt(() => checked(lower(unsplit(outputs), enough), enough));
    if (!(whole instanceof HeError)) return (slots) => (slots >= enough ? [whole] : (reason ?? []));
    reason = whole;
  }
  const cached = new Map<number, readonly Lowered[] | HeError>();
  return (slots) => {
    const known = cached.get(slots) ?? inParts(outputs, slots);
    cached.set(slots, known);
    return known;
  };
}

function inParts(outputs: readonly TensorNode[], slots: number): readonly Lowered[] | HeError {
  const tried = (headsDivide(outputs, slots) ? [false, true] : [false]).map((doubled) =>
    attempt(() => checked(lower(splitTensors(outputs, { slots, doubled }), slots), slots)),
  );
  const found = tried.flatMap((lowered) => (lowered instanceof HeError ? [] : [lowered]));
  const [reason] = tried;
  return found.length === 0 && reason instanceof HeError ? reason : found;
}

/** Whether some product has smaller parts when they are to fit twice. */
function headsDivide(outputs: readonly TensorNode[], slots: number): boolean {
  return topologicalOrder(outputs).some(
    (node) =>
      node.kind === 'matmul' &&
      matMulTiles(node.dims, { slots, doubled: true }).result.length !== matMulTiles(node.dims, { slots, doubled: false }).result.length,
  );
}

function checked(lowered: Lowered, slots: number): Lowered {
  checkCircuit(lowered, slots);
  return lowered;
}

function attempt(body: () => Lowered): Lowered | HeError {
  try {
    return body();
  } catch (error) {
    if (error instanceof HeError && error.code === 'COMPILE_FAILED') return error;
    throw error;
  }
}
