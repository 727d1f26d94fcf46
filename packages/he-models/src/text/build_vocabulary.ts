import { PAD_TOKEN, UNKNOWN_TOKEN } from './tokenizer_json.js';

const MAX_WORDS = 8000;

/**
 * A WordPiece vocabulary for texts of any alphabet: `[PAD]`, `[UNK]`, every character of the texts alone and as a continuation, so that any
 * word of theirs can be spelt, and the words that occur at least `minCount` times, the most frequent first.
 *
 * @param texts at least one with a letter
 */
export function buildVocabulary(texts: readonly string[], minCount: number): readonly string[] {
  const counts = new Map<string, number>();
  for (const text of texts) for (const word of wordsOf(text)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const characters = [...new Set([...counts.keys()].flatMap((word) => [...word]))].sort();
  const words = [...counts]
    .filter(([word, count]) => count >= minCount && [...word].length > 1)
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, MAX_WORDS)
    .map(([word]) => word);
  return [PAD_TOKEN, UNKNOWN_TOKEN, ...characters, ...characters.map((character) => `##${character}`), ...words];
}

/** Words and punctuation as BERT's uncased tokenizer splits them. */
export function wordsOf(text: string): readonly string[] {
  const plain = text
    .normalize('NFD')
    .replace(/\p{Mn}/gu, '')
    .toLowerCase();
  return plain.match(/\p{Script=Han}|[^\s\p{P}\p{S}\p{Script=Han}]+|[\p{P}\p{S}]/gu) ?? [];
}
