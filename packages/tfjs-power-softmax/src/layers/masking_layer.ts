import type * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';
import type { CallArguments } from './inputs.js';

/**
 * Base of this package's layers: they pass Keras masks on, the `[batch, tokens]` that `Embedding` with `maskZero` and `Masking` attach to their
 * outputs, and those that mix tokens go by them where they are given no mask as an input.
 */
export abstract class MaskingLayer extends layers.Layer {
  /** The Keras mask of the last call, by its id. */
  private maskInUse: number | undefined;

  constructor(args: ConstructorParameters<typeof layers.Layer>[0]) {
    super(args);
    this.supportsMasking = true;
  }

  /**
   * The mask that a call goes by: the one among its inputs, or else the Keras mask of `x`.
   *
   * @param x `[batch, tokens, d]`
   * @throws InvalidArgumentError for a Keras mask of another shape than `[batch, tokens]`
   */
  protected maskOf(x: tf.Tensor3D, given: tf.Tensor2D | undefined, { mask }: CallArguments): tf.Tensor2D | undefined {
    const own = firstMask(mask);
    this.maskInUse = given === undefined ? own?.id : undefined;
    if (given !== undefined || own === undefined) return given;
    const [batch, tokens] = x.shape;
    if (own.rank !== 2 || own.shape[0] !== batch || own.shape[1] !== tokens) throw this.foreignMask();
    // Its rank was checked; tfjs' generic Tensor does not narrow on `rank`.
    return own as tf.Tensor2D;
  }

  /**
   * The mask of the first input.
   *
   * @throws InvalidArgumentError if tfjs had passed the call the mask of another branch of the model: where an input has no mask, it passes the
   *   one of whatever layer ran before
   */
  override computeMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    const used = this.maskInUse;
    // Without masks this is called to mark a result, and only with them to check and pass them on.
    if (mask !== undefined && used !== undefined && firstMask(mask)?.id !== used) throw this.foreignMask();
    return super.computeMask(inputs, mask);
  }

  /** {@link computeMask} of layers whose outputs have no tokens left: checks the masks of their inputs and passes none on. */
  protected endMask(inputs: tf.Tensor | tf.Tensor[], mask?: tf.Tensor | tf.Tensor[]): tf.Tensor[] {
    MaskingLayer.prototype.computeMask.call(this, inputs, mask);
    // One output, without a mask.
    return new Array<tf.Tensor>(1);
  }

  /** @throws InvalidArgumentError where the memory of `[x, memory]` has a Keras mask: tfjs passes layers the mask of their first input only */
  protected refuseMemoryMask(inputs: tf.Tensor | tf.Tensor[], masks: CallArguments['mask']): void {
    if (!Array.isArray(inputs) || !Array.isArray(masks) || inputs.length !== 2 || inputs[1]?.rank !== 3 || !masks[1]) return;
    throw new InvalidArgumentError(
      `The memory of ${this.name} has a Keras mask, which tfjs does not pass on. Give the mask as third input, [x, memory, mask].`,
      { layer: this.name },
    );
  }

  private foreignMask(): InvalidArgumentError {
    return new InvalidArgumentError(
      `tfjs passed ${this.name} a mask that is not that of its input. Where only a part of a model has masks, give them as inputs, [x, mask].`,
      { layer: this.name },
    );
  }
}

/** tfjs passes one mask, one per input, or nothing in either form. */
function firstMask(mask: CallArguments['mask']): tf.Tensor | undefined {
  return (Array.isArray(mask) ? mask[0] : mask) ?? undefined;
}
