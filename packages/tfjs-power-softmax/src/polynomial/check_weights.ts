import type { layers } from '@tensorflow/tfjs-layers';
import { InvalidArgumentError } from '../errors.js';

/** @throws InvalidArgumentError naming the layer and the weight if one holds a NaN or an infinity */
export function assertFiniteWeights(all: readonly layers.Layer[]): void {
  for (const layer of all) {
    for (const weight of layer.weights) {
      const values = weight.read().dataSync();
      const at = values.findIndex((value) => !Number.isFinite(value));
      if (at < 0) continue;
      throw new InvalidArgumentError(
        `Weight ${weight.originalName} of layer ${layer.name} holds ${values[at]}. Training diverged: go back to a checkpoint before that, with a lower learning rate.`,
        { layer: layer.name, weight: weight.originalName, index: at },
      );
    }
  }
}
