import * as tfl from '@tensorflow/tfjs-layers';
import { EncoderBlock } from 'tfjs-power-softmax';
import { UsageError } from '../../errors.js';
import { symbolOf } from '../parameter.js';

/** A converted checkpoint whose logits are a table's labels. */
export interface LabelledModel {
  readonly model: tfl.LayersModel;
  /** Epsilons of the blocks: of PowerSoftmax, and of their normalisations. */
  readonly epsilon: number;
  readonly normEpsilon: number;
  /** Whether the classifier is a new one. */
  readonly renewed: boolean;
}

/**
 * The model with its classifier, or with a new one where the labels are others.
 *
 * @param model of a folder that `he-models convert` made of a checkpoint; it is part of the result
 * @throws UsageError for a model that is no encoder with PowerSoftmax and a classifier
 */
export function forLabels(model: tfl.LayersModel, before: readonly string[], labels: readonly string[], seed: number): LabelledModel {
  const blocks = model.layers.filter((layer) => layer instanceof EncoderBlock);
  const [block] = blocks;
  const last = model.layers.at(-1);
  if (block === undefined || last === undefined || last.getClassName() !== 'Dense' || Array.isArray(last.input)) {
    throw new UsageError(
      '--from is no folder that he-models convert made of a BERT or RoBERTa: convert one, and leave out --calibration.',
      {},
    );
  }
  if (blocks.some(({ config }) => config.attention !== 'power')) {
    throw new UsageError('--from is a model with softmax: convert the checkpoint again, without --keep-softmax.', {});
  }
  const { epsilon } = block.config;
  const { normEpsilon } = block;
  if (labels === before) return { model, epsilon, normEpsilon, renewed: false };
  const classifier = tfl.layers.dense({
    name: last.name,
    units: labels.length,
    kernelInitializer: tfl.initializers.glorotUniform({ seed }),
  });
  const outputs = symbolOf(classifier.apply(last.input));
  last.dispose();
  return { model: tfl.model({ name: model.name, inputs: model.inputs, outputs }), epsilon, normEpsilon, renewed: true };
}
