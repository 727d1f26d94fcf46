import type { LayersModel, layers, SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Layers that pass probabilities on, so that a softmax before them may still be the model's output. */
const SHAPE_ONLY = new Set(['Reshape', 'Flatten', 'Permute', 'Dropout']);

/** One use of a layer in a graph. */
export type GraphNode = layers.Layer['inboundNodes'][number];

/** The node that made a symbolic tensor. */
export function nodeOf(tensor: SymbolicTensor): GraphNode | undefined {
  return tensor.sourceLayer.inboundNodes[tensor.nodeIndex];
}

/**
 * The nodes whose result is the model's output with at most reshaping in between, and which nothing else in the model reads. A softmax there
 * is a classifier, not attention.
 */
export function outputNodes(model: LayersModel): ReadonlySet<GraphNode> {
  const consumers = consumersWithin(model);
  const found = new Set<GraphNode>();
  const visit = (tensor: SymbolicTensor): void => {
    const node = nodeOf(tensor);
    if (node === undefined || found.has(node)) return;
    const readElsewhere = node.outputTensors.some((output) => (consumers.get(output.id) ?? []).some((reader) => !found.has(reader)));
    if (readElsewhere) return;
    found.add(node);
    if (SHAPE_ONLY.has(tensor.sourceLayer.getClassName())) node.inputTensors.forEach(visit);
  };
  model.outputs.forEach(visit);
  return found;
}

/** Readers of every tensor between the inputs and the outputs of the model, by the tensor's id. */
function consumersWithin(model: LayersModel): ReadonlyMap<number, readonly GraphNode[]> {
  const consumers = new Map<number, GraphNode[]>();
  const seen = new Set<GraphNode>();
  const inputs = new Set(model.inputs.map((tensor) => tensor.id));
  const visit = (tensor: SymbolicTensor): void => {
    const node = nodeOf(tensor);
    if (node === undefined || seen.has(node) || inputs.has(tensor.id)) return;
    seen.add(node);
    for (const input of node.inputTensors) {
      consumers.set(input.id, [...(consumers.get(input.id) ?? []), node]);
      visit(input);
    }
  };
  model.outputs.forEach(visit);
  return consumers;
}
