import * as tf from '@tensorflow/tfjs-core';

type Tensors = readonly [tf.Tensor, ...tf.Tensor[]];

/**
 * `tf.customGrad` with typed inputs and saved tensors, where the tfjs signature has one loose union.
 *
 * Inside nested gradients (`tf.grad` of a function that itself calls `tf.grad`) the forward ops are differentiated one by one instead: tfjs
 * does not record what `tf.customGrad` computes, so the saved tensors would count as constants and second derivatives come out wrong.
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
  if (tf.engine().state.gradientDepth > 1) return forward(...inputs).value;
  const op = tf.customGrad((...args) => {
    // tfjs passes the inputs back in order, then the save callback, and later the saved tensors in order; its types say none of it.
    const save = args[args.length - 1] as tf.GradSaveFunc;
    const { value, saved } = forward(...(args.slice(0, -1) as unknown as Inputs));
    save([...saved]);
    return { value, gradFunc: (dy: tf.Tensor, restored: tf.Tensor[]) => gradient(dy, restored as unknown as Saved) };
  });
  return op(...inputs) as T;
}

/** `f(x)` with gradient zero, for quantities that a result does not depend on, such as scales that cancel. */
export function constant(x: tf.Tensor, f: (x: tf.Tensor) => tf.Tensor): tf.Tensor {
  return tf.customGrad(() => ({ value: f(x), gradFunc: () => tf.zeros(x.shape) }))(x);
}
