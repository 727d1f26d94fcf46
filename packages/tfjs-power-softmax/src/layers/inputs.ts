import type * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';

/** What tfjs passes to `Layer.call` besides the inputs, as far as this package reads it. */
export interface CallArguments {
  readonly training?: boolean;
  /** Keras masks of the inputs: one, one for each, or none. */
  readonly mask?: tf.Tensor | null | readonly (tf.Tensor | null | undefined)[];
}

/** The single input of a layer, which tfjs may wrap in an array. */
export function singleInput(inputs: tf.Tensor | tf.Tensor[], layer: string): tf.Tensor {
  const [first, ...rest] = Array.isArray(inputs) ? inputs : [inputs];
  if (first === undefined || rest.length > 0) throw new InvalidArgumentError(`Layer ${layer} takes one input tensor.`, { layer });
  return first;
}

/** The inputs `x` or `[x, mask]` of a layer that keeps the shape of `x`, which the 0/1 mask broadcasts to. */
export function maskedInput(inputs: tf.Tensor | tf.Tensor[], layer: string): { readonly x: tf.Tensor; readonly mask?: tf.Tensor } {
  const [x, mask, ...rest] = Array.isArray(inputs) ? inputs : [inputs];
  if (x === undefined || rest.length > 0) throw new InvalidArgumentError(`Layer ${layer} takes x, or [x, mask].`, { layer });
  return mask === undefined ? { x } : { x, mask };
}

/** The single input `[batch, tokens, d]` of a layer. */
export function singleSequence(inputs: tf.Tensor | tf.Tensor[], layer: string): tf.Tensor3D {
  const x = singleInput(inputs, layer);
  if (x.rank !== 3) throw new InvalidArgumentError(`Layer ${layer} takes x [batch, tokens, d], got [${x.shape}].`, { layer });
  // Its rank was checked; tfjs' generic Tensor does not narrow on `rank`.
  return x as tf.Tensor3D;
}

/** The inputs `x` or `[x, mask]` of an attention layer: `[batch, tokens, d]` and 0/1 `[batch, tokens]`. */
export function sequenceInputs(inputs: tf.Tensor | tf.Tensor[], layer: string): { readonly x: tf.Tensor3D; readonly mask?: tf.Tensor2D } {
  const [x, mask, ...rest] = Array.isArray(inputs) ? inputs : [inputs];
  if (x === undefined || x.rank !== 3 || (mask !== undefined && mask.rank !== 2) || rest.length > 0) {
    throw new InvalidArgumentError(`Layer ${layer} takes x [batch, tokens, d], or [x, mask] with a 0/1 mask [batch, tokens].`, { layer });
  }
  // The ranks were checked above; tfjs' generic Tensor does not narrow on `rank`.
  return mask === undefined ? { x: x as tf.Tensor3D } : { x: x as tf.Tensor3D, mask: mask as tf.Tensor2D };
}

/**
 * The inputs of an attention layer: those of {@link sequenceInputs}, or `[x, memory]` or `[x, memory, mask]` with `memory [batch, keys, e]`
 * and a 0/1 `mask [batch, keys]` of the memory.
 */
export function attentionInputs(
  inputs: tf.Tensor | tf.Tensor[],
  layer: string,
): { readonly x: tf.Tensor3D; readonly memory?: tf.Tensor3D; readonly mask?: tf.Tensor2D } {
  const [x, memory, ...rest] = Array.isArray(inputs) ? inputs : [inputs];
  if (x === undefined || memory === undefined || memory.rank !== 3) return sequenceInputs(inputs, layer);
  const { mask } = sequenceInputs([memory, ...rest], layer);
  const cross = { x: singleSequence(x, layer), memory: singleSequence(memory, layer) };
  return mask === undefined ? cross : { ...cross, mask };
}

/** The shape of the memory among the shapes of the inputs of an attention layer, if there is one. */
export function memoryShape(shape: Shape | Shape[]): Shape | undefined {
  const second = shape[1];
  return Array.isArray(second) && second.length === 3 ? second : undefined;
}

/** Whether the inputs of these shapes are `[x, mask]`. */
export function hasMaskInput(shape: Shape | Shape[]): boolean {
  return Array.isArray(shape[0]) && shape.length > 1;
}

/** The shape of the first input, `[batch, tokens, d]`, without the tokens. */
export function pooledShape(shape: Shape | Shape[]): Shape {
  const [batch = null, , features = null] = firstShape(shape);
  return [batch, features];
}

/** The shape of the first input, `x` of `[x, mask]`. */
export function firstShape(shape: Shape | Shape[]): Shape {
  const [first] = shape;
  return Array.isArray(first) ? first : (shape as Shape);
}

/** The size of the last axis of the first input. @throws InvalidArgumentError where it is not fixed. */
export function lastDimension(shape: Shape | Shape[], layer: string): number {
  const size = firstShape(shape).at(-1);
  if (size === undefined || size === null) {
    throw new InvalidArgumentError(`The last dimension of the input of ${layer} must be fixed, got [${firstShape(shape)}].`, { layer });
  }
  return size;
}
