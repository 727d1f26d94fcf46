import * as tf from '@tensorflow/tfjs-core';
import { type Corpus, evenWindows, type Windows } from '../corpus.ts';
import { oneHot } from '../model.ts';

/** Windows of training text, spread evenly, for calibration. */
export function calibrationWindows({ train }: Corpus, count: number, length: number): Windows {
  return evenWindows(train, count, length);
}

/** Runs `use` on the one-hot characters of windows, `[count, length, vocabulary]`, and frees them. */
export function withCharacters<T>({ inputs, count }: Windows, vocabulary: number, use: (characters: tf.Tensor3D) => T): T {
  const characters = oneHot(inputs, count, vocabulary);
  try {
    return use(characters);
  } finally {
    tf.dispose(characters);
  }
}
