import type * as tf from '@tensorflow/tfjs-core';
import type { layers } from '@tensorflow/tfjs-layers';
import { UnsupportedLayerError } from '../errors.js';
import { PowerSoftmax } from '../layers/power_softmax.js';
import { WeightedLayer } from '../layers/weighted_layer.js';
import { DEFAULT_EPSILON } from '../ops/power_softmax.js';

export interface ReplaceSoftmaxOptions {
  /** Even power, 2 to 16. Default: what an attention layer of this package already has in its configuration, 4 for stock layers. */
  readonly p?: number;
  /** Added to `mean(scores^p)`, >= 0. Default: what an attention layer of this package already has, 1e-3 for stock layers. */
  readonly epsilon?: number;
  /** Name of the new model. Default `<name>_power`. */
  readonly name?: string;
}

/** One softmax that became a PowerSoftmax. */
export interface SoftmaxReplacement {
  /** Name of the layer, after those of the models it is nested in: `encoder/block_0`. */
  readonly layer: string;
  /** Its class: `Softmax`, `Activation`, `Dense`, or an attention layer or block of this package. */
  readonly kind: string;
  readonly p: number;
  readonly epsilon: number;
}

/** How a layer is rebuilt: applied in order, the first holding the weights of the original. */
export interface Rebuilt {
  readonly layers: readonly [layers.Layer, ...layers.Layer[]];
  readonly replacement?: SoftmaxReplacement;
}

/** Whether a layer computes a softmax, as far as its configuration tells. */
export function usesSoftmax(layer: layers.Layer): boolean {
  const kind = layer.getClassName();
  // tfjs' own MultiHeadAttention has its softmax built in.
  return kind === 'Softmax' || kind === 'MultiHeadAttention' || configUsesSoftmax(layer.getConfig());
}

function configUsesSoftmax(config: tf.serialization.ConfigDict): boolean {
  const { activation, recurrentActivation, attention, layer } = config;
  if ([activation, recurrentActivation, attention].includes('softmax')) return true;
  // TimeDistributed and Bidirectional hold the configuration of the layer they wrap.
  return isDictionary(layer) && isDictionary(layer.config) && configUsesSoftmax(layer.config);
}

function isDictionary(value: tf.serialization.ConfigDictValue | undefined): value is tf.serialization.ConfigDict {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A layer with the configuration of `layer` but for `changes`; its weights are its own. */
export function copyOf(layer: layers.Layer, changes: tf.serialization.ConfigDict = {}): layers.Layer {
  // Every serialisable layer's constructor has the static members of its class.
  const layerClass = layer.constructor as tf.serialization.SerializableConstructor<layers.Layer>;
  return layerClass.fromConfig(layerClass, { ...layer.getConfig(), ...changes });
}

/**
 * The PowerSoftmax form of a layer that {@link usesSoftmax}.
 *
 * @param path name for messages and the report
 * @throws UnsupportedLayerError for a softmax that cannot be taken out of its layer
 */
export function powerForm(layer: layers.Layer, path: string, { p, epsilon }: ReplaceSoftmaxOptions): Rebuilt {
  const kind = layer.getClassName();
  const config = layer.getConfig();
  if (layer instanceof WeightedLayer && typeof config.p === 'number' && typeof config.epsilon === 'number') {
    const settings = { p: p ?? config.p, epsilon: epsilon ?? config.epsilon };
    return {
      layers: [copyOf(layer, { attention: 'power', ...settings })],
      replacement: { layer: path, kind, ...settings },
    };
  }
  const settings = { p: p ?? 4, epsilon: epsilon ?? DEFAULT_EPSILON };
  const replacement: SoftmaxReplacement = { layer: path, kind, ...settings };
  if (kind === 'Softmax') {
    return { layers: [new PowerSoftmax({ name: layer.name, axis: singleAxis(config.axis, path), ...settings })], replacement };
  }
  if (kind === 'Activation') return { layers: [new PowerSoftmax({ name: layer.name, ...settings })], replacement };
  if (kind === 'Dense') {
    const normaliser = new PowerSoftmax({ name: `${layer.name}_power_softmax`, ...settings });
    return { layers: [copyOf(layer, { activation: 'linear' }), normaliser], replacement };
  }
  throw new UnsupportedLayerError(
    `Layer ${path} (${kind}) has a softmax inside that cannot be replaced. Build it with MultiHeadAttention or EncoderBlock of this package, or move the softmax to a layer of its own.`,
    { layer: path, kind },
  );
}

function singleAxis(axis: tf.serialization.ConfigDictValue | undefined, path: string): number {
  const only = Array.isArray(axis) && axis.length === 1 ? axis[0] : axis;
  if (typeof only === 'number') return only;
  throw new UnsupportedLayerError(`Layer ${path} takes its softmax over several axes; PowerSoftmax takes one. Reshape them into one.`, {
    layer: path,
  });
}
