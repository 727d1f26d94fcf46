import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import { validateNonNegative, validatePower } from '../validate.js';
import { type Findings, rebuildModel } from './rebuild.js';
import type { ReplaceSoftmaxOptions, SoftmaxReplacement } from './replacement.js';

export interface ReplaceSoftmaxReport {
  readonly replaced: readonly SoftmaxReplacement[];
  /** Layers with a softmax that makes the model's output, left as they are. */
  readonly kept: readonly string[];
  /** What to look at: sums in front of a replaced softmax, which may be additive masks. */
  readonly warnings: readonly string[];
}

export interface ReplacedModel {
  /** A new model, `Sequential` where the given one is, with copies of all weights; not compiled. */
  readonly model: LayersModel;
  readonly report: ReplaceSoftmaxReport;
}

/**
 * The PowerSoftmax twin of a model with softmax attention, with the same structure, layer names and weights; the given model is unchanged.
 * The twin computes something else until it is trained further.
 *
 * Replaced are: attention layers and blocks of this package with `attention: 'softmax'`; the tfjs layers `Softmax` and `Activation` with
 * softmax inside of the graph (by `PowerSoftmax` under the same name and axis); a `Dense` with softmax inside of the graph (by a linear
 * `Dense` and a layer `<name>_power_softmax`); all of these in nested models too. A softmax that makes the model's output is a classifier
 * and stays. Softmax inside of a layer's own code, unseen in its configuration, is not found.
 *
 * @throws InvalidArgumentError if there is nothing to replace, or for a `p` or `epsilon` out of range
 * @throws UnsupportedLayerError naming a layer whose softmax cannot be replaced: over several axes, in a wrapper, a recurrent layer or tfjs'
 *   own MultiHeadAttention
 */
export function replaceSoftmax(model: LayersModel, options: ReplaceSoftmaxOptions = {}): ReplacedModel {
  if (options.p !== undefined) validatePower(options.p);
  if (options.epsilon !== undefined) validateNonNegative('epsilon', options.epsilon);
  const findings: Findings = { replaced: [], kept: [], warnings: [] };
  const made: layers.Layer[] = [];
  try {
    const rebuilt = rebuildModel(model, options.name ?? `${model.name}_power`, { options, findings, made, prefix: '', endsModel: true });
    if (findings.replaced.length === 0) throw nothingToReplace(model, findings.kept);
    return { model: rebuilt, report: findings };
  } catch (error) {
    for (const weight of made.flatMap((layer) => layer.weights)) weight.dispose();
    throw error;
  }
}

function nothingToReplace(model: LayersModel, kept: readonly string[]): InvalidArgumentError {
  const left = kept.length === 0 ? '' : ` ${kept.join(', ')} makes the output and is left alone.`;
  return new InvalidArgumentError(
    `Model ${model.name} has no softmax attention to replace.${left} Give a model with attention: 'softmax', or a Softmax layer inside of its graph.`,
    { model: model.name, kept },
  );
}
