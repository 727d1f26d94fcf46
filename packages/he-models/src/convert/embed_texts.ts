import { type Tensor3D, tensor3d } from '@tensorflow/tfjs-core';
import type { TextFolder } from './polynomial_folder.js';

/** Texts as the client embeds them, those too long cut off: `[texts, tokens, features]`. @throws EmptyTextError, UnknownTextError */
export function embedTexts(texts: readonly string[], { config, embed }: Pick<TextFolder, 'config' | 'embed'>): Tensor3D {
  const { maxTokens, features } = config.embedding;
  const all = new Float32Array(texts.length * maxTokens * features);
  texts.forEach((text, index) => {
    all.set(embed(text, { truncate: true }), index * maxTokens * features);
  });
  return tensor3d(all, [texts.length, maxTokens, features]);
}
