import '@tensorflow/tfjs-backend-cpu';
import { enableProdMode, Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import { serverFromPretrained } from 'he-models';
import { clientFromPretrained } from 'he-models/client';

/** What the client knows of a model: how text becomes numbers, what the results mean and, to compare, the polynomial in the clear. */
export interface Classifier {
  readonly name: string;
  readonly labels: readonly string[];
  /** Text -> the model's input, row-major. @throws EmptyTextError, TextTooLongError of he-models. */
  embed(text: string): Float32Array;
  /** The same logits without encryption. A real client does not have the server's weights: the demo has, to show that both agree. */
  plainLogits(values: Float32Array): Promise<Float32Array>;
}

/** @throws UnknownModelError of he-models. */
export async function loadClassifier(name: string): Promise<Classifier> {
  enableProdMode(); // no advertisement for tfjs-node on the console
  const { labels, inputShape, embed, config } = await clientFromPretrained(name);
  return {
    name,
    labels,
    embed,
    async plainLogits(values) {
      const { model } = await serverFromPretrained(name, config.files);
      const logits = tidy(() => {
        const output = model.predict(tensor(values, [...inputShape]));
        if (!(output instanceof Tensor)) throw new Error(`${name} has several outputs`);
        return Float32Array.from(output.dataSync());
      });
      model.dispose();
      return logits;
    },
  };
}
