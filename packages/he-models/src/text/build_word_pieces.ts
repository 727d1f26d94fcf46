import { PAD_TOKEN, UNKNOWN_TOKEN } from './tokenizer_json.js';

export interface WordPieceSizes {
  /** Most words that are tokens of their own. */
  readonly words: number;
  /** Most endings, with which a word that is none of them is spelt after its longest known beginning. */
  readonly endings: number;
  /** Occurrences from which a character is kept. */
  readonly minCharacterCount: number;
}

/** Longest words that are looked at; longer ones are addresses and rows of characters. */
const MAX_LENGTH = 40;

/**
 * A WordPiece vocabulary of whole words: `[PAD]`, `[UNK]`, the frequent characters alone and as continuations, the most frequent words, and the most
 * frequent endings `##...` that remain of the other words where the longest known word is taken off their front.
 *
 * @param counts occurrences, or any other weight, of words
 */
export function buildWordPieces(counts: ReadonlyMap<string, number>, sizes: WordPieceSizes): readonly string[] {
  const candidates = [...counts].filter(([word]) => word.length > 1 && word.length <= MAX_LENGTH);
  const words = new Set(mostFrequent(candidates, sizes.words));
  const letters = new Map<string, number>();
  const endings = new Map<string, number>();
  for (const [word, count] of counts) {
    for (const letter of word.length > MAX_LENGTH ? [] : word) letters.set(letter, (letters.get(letter) ?? 0) + count);
    const ending = words.has(word) || word.length > MAX_LENGTH ? '' : endingOf(word, words);
    if (ending.length > 1) endings.set(ending, (endings.get(ending) ?? 0) + count);
  }
  const characters = [...letters].flatMap(([letter, count]) => (count >= sizes.minCharacterCount ? [letter] : [])).sort();
  const continued = [...characters, ...mostFrequent([...endings], sizes.endings)].map((ending) => `##${ending}`);
  return [PAD_TOKEN, UNKNOWN_TOKEN, ...characters, ...continued, ...words];
}

/** What is left of a word without its longest beginning among `words`; nothing if there is none. */
function endingOf(word: string, words: ReadonlySet<string>): string {
  for (let length = word.length - 1; length > 1; length -= 1) if (words.has(word.slice(0, length))) return word.slice(length);
  return '';
}

function mostFrequent(counts: readonly (readonly [string, number])[], most: number): readonly string[] {
  return [...counts]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, most)
    .map(([word]) => word);
}
