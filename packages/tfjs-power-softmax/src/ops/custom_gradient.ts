import * as tf from '@tensorflow/tfjs-core';

type Tensors = readonly [tf.Tensor, ...tf.Tensor[]];

/**
 * `tf.customGrad` with typed inputs and saved tensors, where the tfjs signature has one loose union.
 *
 * @param forward computes the value, and lists in `saved` every tensor that the gradient reads: tfjs keeps these until then, and disposes
 *   everything else of the forward pass
 * @param gradient maps the upstream gradient and the saved tensors to one gradient per input, in order
 */
export function customGradient<T extends tf.Tensor, Inputs extends Tensors, Saved extends Tensors>(
  inputs: Inputs,
  forward: (...inputs: Inputs) => { readonly value: T; readonly saved: Saved },
  gradient: (dy: tf.Tensor, saved: Saved) => tf.Tensor[],
): T {
  const op = tf.customGrad((...args) => {
    // tfjs passes the inputs back in order, then the save callback, and later the saved tensors in order; its types say none of it.
    const save = args[args.length - 1] as tf.GradSaveFunc;
    const { value, saved } = forward(...(args.slice(0, -1) as unknown as Inputs));
    save([...saved]);
    return { value, gradFunc: (dy: tf.Tensor, restored: tf.Tensor[]) => gradient(dy, restored as unknown as Saved) };
  });
  return op(...inputs) as T;
}
