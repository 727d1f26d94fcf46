import { input, LayersModel, type layers, Sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UnsupportedLayerError } from '../errors.js';
import { type GraphNode, nodeOf, outputNodes } from './classifier.js';
import { copyOf, powerForm, type Rebuilt, type ReplaceSoftmaxOptions, type SoftmaxReplacement, usesSoftmax } from './replacement.js';

/** What happened so far, over the model and those nested in it. */
export interface Findings {
  readonly replaced: SoftmaxReplacement[];
  readonly kept: string[];
  readonly warnings: string[];
}

interface Scope {
  readonly options: ReplaceSoftmaxOptions;
  readonly findings: Findings;
  /** Names of the models this one is nested in, each followed by `/`. */
  readonly prefix: string;
  /** Every layer made, so that a failure can free its weights. */
  readonly made: layers.Layer[];
  /** False for a nested model whose results are used further: no softmax in it is the classifier. */
  readonly endsModel: boolean;
}

/** A model of the same structure and weights with PowerSoftmax in place of softmax; adds to `scope.findings`. */
export function rebuildModel(model: LayersModel, name: string, scope: Scope): LayersModel {
  const classifiers = scope.endsModel ? outputNodes(model) : new Set<GraphNode>();
  return model instanceof Sequential ? rebuildSequence(model, name, classifiers, scope) : rebuildGraph(model, name, classifiers, scope);
}

function rebuildSequence(model: Sequential, name: string, classifiers: ReadonlySet<GraphNode>, scope: Scope): Sequential {
  const rebuilt = model.layers.map((layer) => rebuildLayer(layer, layer.inboundNodes, classifiers, scope));
  const copy = new Sequential({ name, layers: rebuilt.flatMap(({ layers }) => layers) });
  copyWeights(model.layers.map((layer, i) => [layer, rebuilt[i]]));
  return copy;
}

function rebuildGraph(model: LayersModel, name: string, classifiers: ReadonlySet<GraphNode>, scope: Scope): LayersModel {
  const tensors = new Map<number, SymbolicTensor>();
  const inputs = model.inputs.map((tensor) => {
    const replacement = input({ batchShape: tensor.shape, name: tensor.sourceLayer.name, dtype: tensor.dtype });
    tensors.set(tensor.id, replacement);
    return replacement;
  });
  const rebuiltLayers = new Map<layers.Layer, Rebuilt>();
  const nodes = nodesByLayer(model);
  const convert = (tensor: SymbolicTensor): SymbolicTensor => {
    const known = tensors.get(tensor.id);
    if (known !== undefined) return known;
    const layer = tensor.sourceLayer;
    const node = nodeOf(tensor);
    if (node === undefined || node.inputTensors.length === 0) {
      throw new UnsupportedLayerError(`Tensor ${tensor.name} of layer ${layer.name} is no input of ${model.name}.`, { layer: layer.name });
    }
    const converted = node.inputTensors.map(convert);
    const rebuilt = rebuiltLayers.get(layer) ?? rebuildLayer(layer, nodes.get(layer) ?? [node], classifiers, scope);
    rebuiltLayers.set(layer, rebuilt);
    const outputs = applyAll(rebuilt, converted, node);
    node.outputTensors.forEach((output, i) => {
      const replacement = outputs[i];
      if (replacement !== undefined) tensors.set(output.id, replacement);
    });
    const found = tensors.get(tensor.id);
    if (found === undefined) throw new UnsupportedLayerError(`Layer ${layer.name} lost an output when rebuilt.`, { layer: layer.name });
    return found;
  };
  const outputs = model.outputs.map(convert);
  const copy = new LayersModel({ inputs, outputs, name });
  copyWeights([...rebuiltLayers]);
  return copy;
}

function applyAll({ layers: [first, ...rest] }: Rebuilt, inputs: SymbolicTensor[], { callArgs }: GraphNode): SymbolicTensor[] {
  const [only] = inputs;
  // Symbolic inputs give symbolic outputs.
  const results = first.apply(inputs.length === 1 && only !== undefined ? only : inputs, callArgs) as SymbolicTensor | SymbolicTensor[];
  return (Array.isArray(results) ? results : [results]).map((result) =>
    rest.reduce((tensor, layer) => layer.apply(tensor) as SymbolicTensor, result),
  );
}

/** Every use of each layer between the inputs and the outputs of the model. */
function nodesByLayer(model: LayersModel): ReadonlyMap<layers.Layer, readonly GraphNode[]> {
  const nodes = new Map<layers.Layer, Set<GraphNode>>();
  const inputs = new Set(model.inputs.map((tensor) => tensor.id));
  const visit = (tensor: SymbolicTensor): void => {
    const node = nodeOf(tensor);
    const seen = nodes.get(tensor.sourceLayer) ?? new Set();
    if (node === undefined || seen.has(node) || inputs.has(tensor.id)) return;
    nodes.set(tensor.sourceLayer, seen.add(node));
    node.inputTensors.forEach(visit);
  };
  model.outputs.forEach(visit);
  return new Map([...nodes].map(([layer, set]) => [layer, [...set]]));
}

function rebuildLayer(layer: layers.Layer, nodes: readonly GraphNode[], classifiers: ReadonlySet<GraphNode>, scope: Scope): Rebuilt {
  const rebuilt = replaceLayer(layer, nodes, classifiers, scope);
  scope.made.push(...rebuilt.layers.filter((made) => !(made instanceof LayersModel)));
  return rebuilt;
}

function replaceLayer(layer: layers.Layer, nodes: readonly GraphNode[], classifiers: ReadonlySet<GraphNode>, scope: Scope): Rebuilt {
  const { findings, options } = scope;
  const path = `${scope.prefix}${layer.name}`;
  const endings = nodes.filter((node) => classifiers.has(node));
  if (layer instanceof LayersModel) {
    return { layers: [rebuildModel(layer, layer.name, { ...scope, prefix: `${path}/`, endsModel: endings.length > 0 })] };
  }
  if (!usesSoftmax(layer)) return { layers: [copyOf(layer)] };
  // Attention that ends a model is still attention; only a bare softmax there makes class probabilities.
  if (endings.length > 0 && layer.getConfig().attention !== 'softmax' && layer.getClassName() !== 'MultiHeadAttention') {
    if (endings.length < nodes.length) {
      throw new UnsupportedLayerError(`Layer ${path} is both an output classifier and used inside of the model. Use one layer for each.`, {
        layer: path,
      });
    }
    findings.kept.push(path);
    return { layers: [copyOf(layer)] };
  }
  const rebuilt = powerForm(layer, path, options);
  if (rebuilt.replacement !== undefined) findings.replaced.push(rebuilt.replacement);
  for (const adder of nodes.flatMap((node) => node.inboundLayers).filter((inbound) => inbound.getClassName() === 'Add')) {
    findings.warnings.push(
      `The scores of ${path} come from the sum ${scope.prefix}${adder.name}. If that adds large negative numbers as a mask, multiply the scores by 0/1 instead: PowerSoftmax gives large negative scores large weights.`,
    );
  }
  return rebuilt;
}

/** Gives the first layer of every rebuilt one the weights of its original; nested models have theirs already. */
function copyWeights(pairs: readonly (readonly [layers.Layer, Rebuilt | undefined])[]): void {
  for (const [layer, rebuilt] of pairs) {
    if (rebuilt !== undefined && !(layer instanceof LayersModel)) rebuilt.layers[0].setWeights(layer.getWeights());
  }
}
