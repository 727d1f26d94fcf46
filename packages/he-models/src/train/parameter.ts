import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';

/** A weight that training changes. */
export interface Parameter {
  readonly name: string;
  readonly variable: tf.Variable;
  /** Whether weight decay applies. */
  readonly decayed: boolean;
}

/** Weights of all layers of a model that are for training; matrices are decayed. */
export function modelParameters(model: tfl.LayersModel): readonly Parameter[] {
  return model.layers.filter(({ trainable }) => trainable).flatMap((layer) => layer.weights.map((weight) => layerParameter(layer, weight)));
}

function layerParameter(layer: tfl.layers.Layer, weight: tfl.LayerVariable): Parameter {
  const variable = weight.read();
  if (!(variable instanceof tf.Variable)) throw new TypeError(`Weight ${weight.originalName} is not a variable.`);
  return { name: `${layer.name}/${weight.originalName}`, variable, decayed: variable.rank > 1 };
}

export function variableOf(initial: Float32Array, shape: number[]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor(initial, shape)));
}

/** A copy of a tensor's values. */
export function valuesOf(tensor: tf.Tensor): Float32Array {
  return Float32Array.from(tensor.dataSync());
}

/** What a layer gave for a tensor. */
export function tensorOf(output: ReturnType<tfl.layers.Layer['apply']>): tf.Tensor {
  if (!(output instanceof tf.Tensor)) throw new TypeError('A layer called on a tensor returned something else.');
  return output;
}

/** What a layer gave for a symbolic tensor. */
export function symbolOf(output: ReturnType<tfl.layers.Layer['apply']>): tfl.SymbolicTensor {
  if (!(output instanceof tfl.SymbolicTensor)) throw new TypeError('A layer called on a symbolic tensor returned something else.');
  return output;
}
