import type { serialization } from '@tensorflow/tfjs-core';
import { input, LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { UnsupportedLayerError } from '../errors.js';
import { FeedForward } from '../layers/feed_forward.js';
import { PolynomialCachedAttention } from './cached_attention.js';
import { PolynomialAttention } from './polynomial_attention.js';
import { PolynomialFeedForward } from './polynomial_feed_forward.js';
import { PolynomialNorm } from './polynomial_norm.js';
import { PolynomialScaledNorm } from './scaled_norm.js';

/** What one step hands to the next: an input of the model that takes what the output of the same name was, and zeros in the first step. */
export interface StepState {
  /** Of the input. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Index of the output. */
  readonly output: number;
}

/** A decoder that takes one token at a time. */
export interface DecoderStep {
  /** Inputs `token [1, 1, d]` and `share [1, 1, 1]`, then the states; outputs that of the model for the token, `[1, 1, units]`, then the states. */
  readonly model: LayersModel;
  /** Tokens that are attended to at most: of a longer sequence the last ones. */
  readonly tokens: number;
  /** For each attention layer in turn its cache and its row, see {@link PolynomialCachedAttention}. */
  readonly states: readonly StepState[];
  /** The input `share` for the token at a position, 0 for the first. */
  readonly share: (position: number) => number;
}

/**
 * The polynomial form of a causal decoder for one token at a time, keys and values of the tokens before it cached: after the tokens `0..t`, its
 * output is the row `t` of the model's (up to rounding, as long as there are no more tokens than the model was made for; from then on every token
 * sees the last ones, as sliding-window attention has it). A step does the work of one token where the model does that of all of them. The model is unchanged; weights are copied.
 *
 * @param model of `toPolynomial`, input `[batch, tokens, d]`, whose layers but for attention work on each token by itself
 * @throws UnsupportedLayerError for a layer that does not, attention that is not causal PowerSoftmax, or several inputs or outputs
 */
export function decoderStep(model: LayersModel): DecoderStep {
  const attention = model.layers.filter((layer) => layer instanceof PolynomialAttention);
  const [first] = attention;
  if (first === undefined || model.inputs.length !== 1 || model.outputs.length !== 1 || attention.some((layer) => !layer.causal)) {
    throw new UnsupportedLayerError(`${model.name} is no causal decoder of one input and one output. Convert one with toPolynomial.`, {
      model: model.name,
    });
  }
  const { tokens, p } = first;
  const other = attention.find((layer) => layer.tokens !== tokens || layer.p !== p);
  if (other !== undefined) {
    throw new UnsupportedLayerError(`${other.name} has other tokens or another power than ${first.name}. Give all layers the same.`, {
      layer: other.name,
    });
  }
  const [given] = model.inputs;
  const token = input({ batchShape: [1, 1, given?.shape.at(-1) ?? null], name: 'token' });
  const share = input({ batchShape: [1, 1, 1], name: 'share' });
  const walk = new StepWalk(model, token, share);
  const outputs = walk.outputs();
  // The name of a tensor is made unique in the process, that of its layer is as the model knows it.
  const states = walk.states.map(({ sourceLayer, shape }, i) => ({
    name: sourceLayer.name,
    shape: shape.map((size) => size ?? 1),
    output: i + outputs.length,
  }));
  return {
    model: new LayersModel({
      inputs: [token, share, ...walk.states],
      outputs: [...outputs, ...walk.nextStates],
      name: `${model.name}_step`,
    }),
    tokens,
    states,
    share: (position) => Math.min(position + 1, tokens) ** (-1 / p),
  };
}

/** Layers that work on each token by itself. */
const TOKENWISE = new Set(['Dense', 'Add', 'Multiply', 'Dropout', 'Activation', 'Rescaling']);

class StepWalk {
  readonly states: SymbolicTensor[] = [];
  readonly nextStates: SymbolicTensor[] = [];
  private readonly made = new Map<number, SymbolicTensor>();
  /** Normalised tokens, by id of the original tensor, times `share`. */
  private readonly scaled = new Map<number, SymbolicTensor>();

  constructor(
    private readonly model: LayersModel,
    token: SymbolicTensor,
    private readonly share: SymbolicTensor,
  ) {
    for (const tensor of model.inputs) this.made.set(tensor.id, token);
    for (const layer of model.layers) if (layer.getClassName() !== 'InputLayer') this.visit(layer);
  }

  outputs(): SymbolicTensor[] {
    return this.model.outputs.map((tensor) => this.find(tensor));
  }

  private visit(layer: layers.Layer): void {
    const node = layer.inboundNodes.find(({ inputTensors }) => inputTensors.every(({ id }) => this.made.has(id)));
    const [output] = node?.outputTensors ?? [];
    if (node === undefined || output === undefined) throw unsupported(layer);
    const operands = node.inputTensors.map((tensor) => this.find(tensor));
    if (layer instanceof PolynomialAttention) this.made.set(output.id, this.attend(layer, node.inputTensors));
    else if (layer instanceof PolynomialNorm && operands.length === 1) this.normalise(layer, operands, output);
    else this.made.set(output.id, copied(layer, operands));
  }

  /** A norm gives its attention layer what is scaled as well. */
  private normalise(layer: PolynomialNorm, operands: SymbolicTensor[], output: SymbolicTensor): void {
    const attended = this.model.layers.some(
      (user) => user instanceof PolynomialAttention && user.inboundNodes.some(({ inputTensors }) => inputTensors[0]?.id === output.id),
    );
    if (!attended) {
      this.made.set(output.id, copied(layer, operands));
      return;
    }
    const { name, epsilon, centred, approximation } = layer;
    const twin = new PolynomialScaledNorm({ name, epsilon, centred, approximation });
    const [plain, scaled] = severalOf(twin, [...operands, this.share]);
    twin.setWeights(layer.getWeights());
    if (plain !== undefined) this.made.set(output.id, plain);
    if (scaled !== undefined) this.scaled.set(output.id, scaled);
  }

  private attend(layer: PolynomialAttention, inputs: readonly SymbolicTensor[]): SymbolicTensor {
    const [source, ...masks] = inputs;
    if (source === undefined || masks.length > 0) throw unsupported(layer);
    const { name, approximation, numHeads, keyDim, useBias, tokens, rotary, rotaryDim, rotaryBase, p, epsilon } = layer;
    const settings = { name, approximation, numHeads, keyDim, useBias, tokens, rotary, rotaryDim, rotaryBase, p, epsilon };
    const twin = new PolynomialCachedAttention(settings);
    const [cache, row] = ['cache', 'row'].map((kind) => input({ batchShape: twin.stateShape, name: `${name}/${kind}` }));
    if (cache === undefined || row === undefined) throw unsupported(layer);
    const x = this.find(source);
    const scaled = this.scaled.get(source.id) ?? one(severalOf(layers.multiply({ name: `${name}/scaled` }), [x, this.share]), layer);
    const [output, nextCache, nextRow] = severalOf(twin, [x, scaled, this.share, cache, row]);
    if (output === undefined || nextCache === undefined || nextRow === undefined) throw unsupported(layer);
    twin.setWeights(layer.getWeights());
    this.states.push(cache, row);
    this.nextStates.push(nextCache, nextRow);
    return output;
  }

  private find(tensor: SymbolicTensor): SymbolicTensor {
    const found = this.made.get(tensor.id);
    if (found === undefined) throw unsupported(tensor.sourceLayer);
    return found;
  }
}

function copied(layer: layers.Layer, operands: SymbolicTensor[]): SymbolicTensor {
  const tokenwise = layer instanceof PolynomialNorm || layer instanceof PolynomialFeedForward || layer instanceof FeedForward;
  if (!tokenwise && !TOKENWISE.has(layer.getClassName())) throw unsupported(layer);
  const layerClass = layer.constructor as serialization.SerializableConstructor<layers.Layer>; // of every serialisable layer
  const made = layerClass.fromConfig(layerClass, layer.getConfig());
  const output = one(severalOf(made, operands), layer);
  made.setWeights(layer.getWeights());
  return output;
}

/** Symbolic inputs give symbolic outputs. */
function severalOf(layer: layers.Layer, inputs: SymbolicTensor[]): SymbolicTensor[] {
  const [only] = inputs;
  const outputs = layer.apply(inputs.length === 1 && only !== undefined ? only : inputs) as SymbolicTensor | SymbolicTensor[];
  return Array.isArray(outputs) ? outputs : [outputs];
}

function one([tensor]: readonly SymbolicTensor[], layer: layers.Layer): SymbolicTensor {
  if (tensor === undefined) throw unsupported(layer);
  return tensor;
}

function unsupported(layer: layers.Layer): UnsupportedLayerError {
  return new UnsupportedLayerError(`Layer ${layer.name} (${layer.getClassName()}) does not work on one token at a time.`, {
    layer: layer.name,
  });
}
