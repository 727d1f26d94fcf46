import * as tf from '@tensorflow/tfjs-core';
import { collectRanges, rangeLoss } from 'tfjs-power-softmax';
import type { EncodedQuestions } from './batches.js';
import type { Classifier, DropoutMasks } from './classifier.js';
import type { Recipe } from './recipe.js';

/** Mean cross-entropy against `(1 - smoothing) * onehot(labels) + smoothing / classes`. @param logits `[batch, classes]` */
export function smoothedCrossEntropy(logits: tf.Tensor2D, labels: Int32Array, smoothing: number): tf.Scalar {
  return tf.tidy(() => {
    const [batch, classes] = logits.shape;
    const targets = new Float32Array(batch * classes).fill(smoothing / classes);
    labels.forEach((label, row) => {
      targets[row * classes + label] = 1 - smoothing + smoothing / classes;
    });
    return tf.neg(tf.div(tf.sum(tf.mul(tf.tensor2d(targets, [batch, classes]), tf.logSoftmax(logits))), batch));
  });
}

/** What training minimises: cross-entropy, plus the range loss, which both variants get where they have the function. */
export function trainingLoss(classifier: Classifier, batch: EncodedQuestions, masks: DropoutMasks, recipe: Recipe): tf.Scalar {
  return tf.tidy(() => {
    const { reciprocal, rsqrt, gelu } = recipe.rangeTargets;
    const { result, sites } = collectRanges(() => classifier.logits(batch.ids, masks, batch.maxTokens));
    // A cut batch's denominators are larger by what the padding would have made them smaller.
    const upper = (reciprocal * recipe.architecture.maxTokens) / batch.maxTokens;
    const ranges = rangeLoss(sites, {
      targets: { reciprocal: { upper }, rsqrt: { upper: rsqrt }, gelu: { lower: -gelu, upper: gelu } },
    });
    return tf.add(smoothedCrossEntropy(result, batch.labels, recipe.labelSmoothing), tf.mul(ranges, recipe.rangeLossWeight));
  });
}
