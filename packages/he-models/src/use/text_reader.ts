import type { Inference, InferOptions } from './local_pair.js';

export interface ReadOptions extends Pick<InferOptions, 'signal' | 'onProgress'> {
  /** Called for every encrypted run; there is none in the clear. */
  readonly onRun?: (run: Inference) => void;
}

/** A text that a language model has read so far. */
export interface OpenText {
  /**
   * Reads on.
   *
   * @param tokens at least one
   * @returns logits of the token after the last one, `[vocabulary]`
   */
  readonly read: (tokens: readonly number[], options?: ReadOptions) => Promise<Float32Array>;
  /** Forgets the text. */
  readonly dispose: () => void;
}

/** A language model that reads texts. */
export interface TextReader {
  /** Begins a text. */
  readonly begin: () => OpenText;
  readonly dispose: () => void;
}

/** Reads by running the whole window of the last tokens for every token that is to come: for models without a cache. */
export function readWindows(
  context: number,
  vocabularySize: number,
  logitsOf: (ids: readonly number[], options: ReadOptions) => Promise<Float32Array>,
): TextReader['begin'] {
  return () => {
    const ids: number[] = [];
    return {
      read: async (tokens, options = {}) => {
        const seen = [...ids, ...tokens].slice(-context);
        const last = seen.length - 1;
        const logits = await logitsOf(seen, options);
        ids.push(...tokens);
        return logits.slice(last * vocabularySize, (last + 1) * vocabularySize);
      },
      dispose: () => {},
    };
  };
}
