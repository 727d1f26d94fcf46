import { textTokenizer } from './text_tokenizer.js';
import { PAD_TOKEN, UNKNOWN_TOKEN, wordPieceTokenizerJson } from './tokenizer_json.js';

/** Latin letters, digits, punctuation: characters below the block of phonetic extensions stay spellable. */
const LAST_KEPT_CHARACTER = 0x24f;

/**
 * Reduces a WordPiece vocabulary to what a small data set can train: `[PAD]`, `[UNK]`, the tokens that occur at least `minCount` times in
 * `texts`, and every single character with its continuation, so that any other Latin word is spelt out instead of being unknown.
 *
 * @param vocabulary tokens in the order of the file, with `[PAD]` and `[UNK]`
 * @returns `[PAD]`, `[UNK]`, then the kept tokens in their original order
 */
export function pruneVocabulary(vocabulary: readonly string[], texts: readonly string[], minCount: number): readonly string[] {
  const tokenize = textTokenizer(wordPieceTokenizerJson(vocabulary), Number.POSITIVE_INFINITY);
  const counts = new Map<string, number>();
  for (const text of texts) for (const token of tokenize(text).tokens) counts.set(token, (counts.get(token) ?? 0) + 1);
  const kept = vocabulary.filter((token) => {
    if (token === PAD_TOKEN || token === UNKNOWN_TOKEN) return false;
    return (counts.get(token) ?? 0) >= minCount || isCharacter(token);
  });
  return [PAD_TOKEN, UNKNOWN_TOKEN, ...kept];
}

function isCharacter(token: string): boolean {
  const piece = token.length === 3 && token.startsWith('##') ? token.slice(2) : token;
  return piece.length === 1 && piece.charCodeAt(0) <= LAST_KEPT_CHARACTER;
}
