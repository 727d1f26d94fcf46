import * as tf from '@tensorflow/tfjs-core';

export interface ForwardResult {
  readonly value: tf.Tensor;
  /** Maps the upstream gradient to one gradient per input, in order. `saved` holds what the forward pass saved. */
  readonly gradient: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[];
}

/**
 * `tf.customGrad` with the inputs and the `save` callback apart, as the tfjs signature types them as one loose union.
 * `forward` must list in `save` every tensor that its gradient reads.
 */
export function customGradient<T extends tf.Tensor>(
  inputs: readonly tf.Tensor[],
  forward: (inputs: readonly tf.Tensor[], save: tf.GradSaveFunc) => ForwardResult,
): T {
  const op = tf.customGrad((...args) => {
    // tfjs appends the save callback to the inputs; its type cannot say which position holds what.
    const save = args[args.length - 1] as tf.GradSaveFunc;
    const { value, gradient } = forward(args.slice(0, -1) as tf.Tensor[], save);
    return { value, gradFunc: gradient };
  });
  // Each forward pass of this package returns a tensor of the type that its caller names; tfjs only promises a Tensor.
  return op(...inputs) as T;
}
