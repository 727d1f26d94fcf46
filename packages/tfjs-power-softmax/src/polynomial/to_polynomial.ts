import { input, LayersModel, type layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError, UnsupportedLayerError } from '../errors.js';
import { validateOneOf } from '../validate.js';
import { type ModelInputs, observeSites } from './calibrate.js';
import { assertFiniteWeights } from './check_weights.js';
import { assertConvertible, convertLayer } from './convert_layer.js';
import type { Choices } from './convert_parts.js';
import { DIVISION_PLACES, type DivisionPlace } from './division.js';
import { type FitOptions, fitSite } from './fit_site.js';
import { type PolynomialReport, polynomialReport } from './report.js';

export interface ToPolynomialOptions extends FitOptions {
  /** Inputs of the model, `[examples, ...]` each, that cover what it will see; a few hundred examples. Held-out data shows the margin. */
  readonly calibration: ModelInputs;
  /** Examples run at once during calibration. Default 64. */
  readonly batchSize?: number;
  /**
   * Where PowerSoftmax attention multiplies by the reciprocal of a row: its `outputs [tokens, keyDim]`, deferred past the product with the values,
   * or its `weights [tokens, keys]`. Default `auto`: fewer levels first, then fewer products, which is `outputs` whatever the shape, as deferring
   * saves a level. `weights` multiplies fewer numbers where there are fewer keys than `keyDim`, and keeps values at their own scale.
   */
  readonly division?: DivisionPlace | 'auto';
  /** Name of the polynomial model. Default `<name>_polynomial`. */
  readonly name?: string;
}

export interface PolynomialModel {
  /** An ordinary functional model, serialisable, made of linear maps and products only. */
  readonly model: LayersModel;
  readonly report: PolynomialReport;
}

/**
 * Turns a trained model into one whose every op is linear or a product, so that it can run on ciphertexts: reciprocals, inverse square roots
 * and GELUs become polynomials on calibrated intervals (arXiv 2410.09457, section 4; step "substitution" of the recipe). An `EncoderBlock`
 * named `b` becomes the layers `b/attention`, `b/attention_norm`, `b/feed_forward` and `b/feed_forward_norm`; linear layers are copied, nested
 * models become part of the whole. The given model is unchanged.
 *
 * @throws UnsupportedLayerError for a layer with no polynomial form, one used more than once, or two of one name
 * @throws InvalidArgumentError for options out of range, and naming the layer for weights that are not finite or calibration data from which
 * no interval follows
 * @throws ApproximationError where no degree up to 63, or no number of steps up to 32, is accurate enough
 */
export function toPolynomial(model: LayersModel, options: ToPolynomialOptions): PolynomialModel {
  const division = validateOneOf('division', options.division ?? 'auto', ['auto', ...DIVISION_PLACES]);
  const all = convertibleLayers(model);
  for (const layer of all) assertConvertible(layer);
  assertUniqueNames(all);
  assertFiniteWeights(all);
  const observations = observeSites(model, options.calibration, options.batchSize);
  const fitted = new Map(observations.map((observation) => [observation.name, fitSite(observation, options)]));
  const choices: Choices = {
    division,
    polynomial: (name) => {
      const site = fitted.get(name);
      if (site === undefined) throw new InvalidArgumentError(`Calibration saw no site ${name}.`, { site: name, known: [...fitted.keys()] });
      return site;
    },
  };
  const polynomial = rebuild(model, options.name ?? `${model.name}_polynomial`, choices);
  return { model: polynomial, report: polynomialReport(polynomial) };
}

/** The layers to convert, those of nested models in place of these. */
function convertibleLayers(model: LayersModel): layers.Layer[] {
  return model.layers
    .filter((layer) => layer.getClassName() !== 'InputLayer')
    .flatMap((layer) => (layer instanceof LayersModel ? convertibleLayers(layer) : [layer]));
}

/** @throws UnsupportedLayerError for layers of one name in several nested models, which would share their sites */
function assertUniqueNames(all: readonly layers.Layer[]): void {
  const names = all.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice === undefined) return;
  throw new UnsupportedLayerError(`Several layers are called ${twice}. Rename them: their polynomials are chosen by name.`, {
    layer: twice,
  });
}

function rebuild(model: LayersModel, name: string, choices: Choices): LayersModel {
  const inputs = model.inputs.map((tensor) => input({ shape: tensor.shape.slice(1), name: tensor.sourceLayer.name, dtype: tensor.dtype }));
  return new LayersModel({ inputs, outputs: convertGraph(model, inputs, choices), name });
}

/** Walks a model's graph in topological order, applying the polynomial form of each layer to `inputs`; nested models are walked in their place. */
function convertGraph(model: LayersModel, inputs: readonly SymbolicTensor[], choices: Choices): SymbolicTensor[] {
  const converted = new Map<number, SymbolicTensor>();
  const record = (tensors: readonly SymbolicTensor[], replacements: readonly SymbolicTensor[]): void => {
    tensors.forEach((tensor, i) => {
      const replacement = replacements[i];
      if (replacement !== undefined) converted.set(tensor.id, replacement);
    });
  };
  record(model.inputs, inputs);
  for (const layer of model.layers.filter((each) => each.getClassName() !== 'InputLayer')) {
    const node = onlyNode(layer, converted);
    const operands = node.inputTensors.map((tensor) => lookUp(converted, tensor));
    if (layer instanceof LayersModel) {
      record(node.outputTensors, convertGraph(layer, operands, choices));
      continue;
    }
    if (node.outputTensors.length > 1) {
      throw new UnsupportedLayerError(`Layer ${layer.name} has several outputs, which toPolynomial does not convert.`, {
        layer: layer.name,
      });
    }
    record(node.outputTensors, [convertLayer(layer, operands, choices)]);
  }
  return model.outputs.map((tensor) => lookUp(converted, tensor));
}

/** The one place where the layer is used on tensors of this model; it may also have been used in others. */
function onlyNode(layer: layers.Layer, converted: ReadonlyMap<number, SymbolicTensor>): layers.Layer['inboundNodes'][number] {
  const nodes = layer.inboundNodes.filter((node) => node.inputTensors.every((tensor) => converted.has(tensor.id)));
  const [node] = nodes;
  if (node === undefined || nodes.length > 1) {
    throw new UnsupportedLayerError(
      `Layer ${layer.name} is used ${nodes.length} times. Use one layer per place, each with its own calibration.`,
      {
        layer: layer.name,
      },
    );
  }
  return node;
}

function lookUp(converted: ReadonlyMap<number, SymbolicTensor>, tensor: SymbolicTensor): SymbolicTensor {
  const found = converted.get(tensor.id);
  if (found === undefined)
    throw new UnsupportedLayerError(`Tensor ${tensor.name} comes from outside of the model.`, { tensor: tensor.name });
  return found;
}
