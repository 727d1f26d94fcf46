import '@tensorflow/tfjs-backend-cpu';
import { HeModelClient, loadClearModel } from 'he-models';
import { DemoError } from '../errors.js';

/** What the client knows of a model: how text becomes numbers, what the results mean and, to compare, the polynomial in the clear. */
export interface Classifier {
  readonly name: string;
  readonly labels: readonly string[];
  /** Text -> the model's input, row-major. @throws EmptyTextError, TextTooLongError, UnknownTextError of he-models. */
  embed(text: string): Float32Array;
  /** The same logits without encryption. A real client does not have the server's weights: the demo has, to show that both agree. */
  plainLogits(values: Float32Array): Promise<Float32Array>;
}

/** @throws UnknownModelError of he-models, DemoError USAGE for a model of another task. */
export async function loadClassifier(name: string): Promise<Classifier> {
  const client = await HeModelClient.from_pretrained(name);
  if (client.task !== 'text-classification')
    throw new DemoError('USAGE', `${name} is a model for ${client.task}, and this classifies text: see npx he-models list`);
  return {
    name,
    labels: client.labels,
    embed: (text) => client.embed(text),
    async plainLogits(values) {
      const clear = await loadClearModel(name);
      try {
        return clear.logits(values);
      } finally {
        clear.dispose();
      }
    },
  };
}
