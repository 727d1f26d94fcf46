import { BEGIN_TOKEN } from '../llama/tokenizer.js';
import { argMax } from '../train/metrics.js';

/** A language model to be continued with. */
export interface NextToken {
  /** Tokens that the model sees at once. */
  readonly context: number;
  readonly vocabularySize: number;
  /** Token that ends a text; default: the one that texts of llama2.c begin with. Null: there is none. */
  readonly end?: number | null;
  /** Logits of the successor of every place, `[context * vocabularySize]`, for at most `context` tokens. */
  readonly logits: (ids: readonly number[]) => Promise<Float32Array>;
}

/**
 * The likeliest continuation, token by token, each from the last `context` tokens; ends early where the model ends its text.
 *
 * @param ids at least one
 * @returns the new tokens alone
 */
export async function continueText(
  ids: readonly number[],
  most: number,
  { context, vocabularySize, end = BEGIN_TOKEN, logits }: NextToken,
): Promise<number[]> {
  const written: number[] = [];
  while (written.length < most) {
    const seen = [...ids, ...written].slice(-context);
    const last = seen.length - 1;
    const next = argMax((await logits(seen)).subarray(last * vocabularySize, (last + 1) * vocabularySize));
    if (next === end) break;
    written.push(next);
  }
  return written;
}
