import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { Corpus } from './corpus.ts';
import { measureDenominators } from './measurements/denominators.ts';
import { measureLengths } from './measurements/lengths.ts';
import { measureLocality } from './measurements/locality.ts';
import { measurePolynomial } from './measurements/polynomial_form.ts';
import { languageModel } from './model.ts';
import { readWeights, writeStored, writeWeights } from './store.ts';
import { type ResultOf, type Task, trainTask } from './tasks.ts';
import { train } from './training.ts';

export type StepProgress = (step: number, loss: number) => void;

/** Does one task and stores its result. @throws Error where it needs a training that has not been done */
export function runTask(task: Task, corpus: Corpus, folder: string, progress: StepProgress): void {
  const start = performance.now();
  const store = <T extends Task>(done: T, result: ResultOf<T>): void =>
    writeStored(folder, done, Math.round((performance.now() - start) / 100) / 10, result);
  if (task.kind === 'train') {
    const { model, result } = train(task.train, corpus, progress);
    writeWeights(
      folder,
      task,
      model.model.getWeights().map((weight) => weight.dataSync<'float32'>()),
    );
    model.model.dispose();
    store(task, result);
    return;
  }
  const model = languageModel(task.train.model, corpus.vocabulary.length);
  setWeights(model.model, readWeights(folder, trainTask(task.text, task.train)));
  const { tokens } = task.train.model;
  switch (task.kind) {
    case 'polynomial':
      store(task, measurePolynomial(model, corpus, task.config, tokens));
      break;
    case 'denominators':
      store(task, measureDenominators(model, corpus, task.config, tokens));
      break;
    case 'lengths':
      store(task, measureLengths(model, corpus, task.config, tokens));
      break;
    case 'locality':
      store(task, measureLocality(model, corpus, task.config, tokens));
      break;
  }
  model.model.dispose();
}

function setWeights(model: LayersModel, values: Float32Array): void {
  tf.tidy(() => {
    let offset = 0;
    const tensors = model.getWeights().map(({ shape, size }) => {
      offset += size;
      return tf.tensor(values.subarray(offset - size, offset), shape, 'float32');
    });
    model.setWeights(tensors);
  });
}
