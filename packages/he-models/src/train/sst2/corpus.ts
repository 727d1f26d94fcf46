import type { Question } from '../../data/banking77.js';
import type { Review } from '../../data/reviews.js';
import { SENTIMENTS } from '../../data/sst2.js';
import { wordsOf } from '../../text/build_vocabulary.js';
import { textTokenizer } from '../../text/text_tokenizer.js';
import type { TokenizerJson } from '../../text/tokenizer_json.js';
import type { TokenCorpus } from './pretrain.js';

/** How often each word occurs in the reviews, plus `phraseWeight` times how often it does in the training phrases. */
export function wordCounts(reviews: readonly Review[], phrases: readonly Question[], phraseWeight: number): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const add = (texts: readonly { readonly text: string }[], weight: number): void => {
    for (const { text } of texts) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + weight);
  };
  add(reviews, 1);
  add(phrases, phraseWeight);
  return counts;
}

/** Reviews and training phrases as tokens, with what is known of their verdict. A word is tokenised once. */
export function tokenCorpus(tokenizer: TokenizerJson, reviews: readonly Review[], phrases: readonly Question[]): TokenCorpus {
  const tokenize = textTokenizer(tokenizer, Number.POSITIVE_INFINITY);
  const known = new Map<string, readonly number[]>();
  const idsOf = (word: string): readonly number[] => {
    const found = known.get(word);
    if (found !== undefined) return found;
    const { ids } = tokenize(word);
    known.set(word, ids);
    return ids;
  };
  const texts = [
    ...reviews.map(({ text, positive }) => ({ text, polarity: positive === undefined ? -1 : Number(positive) })),
    ...phrases.map(({ text, label }) => ({ text, polarity: label === SENTIMENTS[1] ? 1 : 0 })),
  ];
  const ids = new GrowingIntegers();
  const starts = new Int32Array(texts.length + 1);
  texts.forEach(({ text }, index) => {
    for (const word of wordsOf(text)) for (const id of idsOf(word)) ids.push(id);
    starts[index + 1] = ids.length;
  });
  return { ids: ids.values(), starts, polarity: Int8Array.from(texts, ({ polarity }) => polarity) };
}

/** Twenty million numbers are too many for an array of JavaScript. */
class GrowingIntegers {
  private buffer = new Int32Array(1 << 20);
  length = 0;

  push(value: number): void {
    if (this.length === this.buffer.length) {
      const larger = new Int32Array(2 * this.length);
      larger.set(this.buffer);
      this.buffer = larger;
    }
    this.buffer[this.length] = value;
    this.length += 1;
  }

  values(): Int32Array {
    return this.buffer.slice(0, this.length);
  }
}
