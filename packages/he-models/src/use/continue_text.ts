import { BEGIN_TOKEN } from '../llama/tokenizer.js';
import { argMax } from '../train/metrics.js';

/** A language model to be continued with. */
export interface NextToken {
  /** Token that ends a text; default: the one that texts of llama2.c begin with. Null: there is none. */
  readonly end?: number | null;
  /** Reads on from what it has read before: logits of the token after the last of these, `[vocabulary]`. */
  readonly read: (tokens: readonly number[]) => Promise<Float32Array>;
  /** Called with each new token. */
  readonly onToken?: (token: number) => void;
}

/**
 * The likeliest continuation, token by token; ends early where the model ends its text.
 *
 * @param ids at least one
 * @returns the new tokens alone
 */
export async function continueText(
  ids: readonly number[],
  most: number,
  { end = BEGIN_TOKEN, read, onToken }: NextToken,
): Promise<number[]> {
  const written: number[] = [];
  let unread = ids;
  while (written.length < most) {
    const next = argMax(await read(unread));
    if (next === end) break;
    written.push(next);
    onToken?.(next);
    unread = [next];
  }
  return written;
}
