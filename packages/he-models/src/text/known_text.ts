import { UnknownTextError } from '../errors.js';
import type { TokenizedText } from './text_tokenizer.js';
import { UNKNOWN_TOKEN } from './tokenizer_json.js';

/** @throws UnknownTextError if the vocabulary has none of a text's words or characters */
export function requireKnownText({ tokens }: TokenizedText): void {
  if (!tokens.every((token) => token === UNKNOWN_TOKEN)) return;
  throw new UnknownTextError(
    'The tokenizer knows no word or character of this text: write in the language that the model was trained on.',
    {
      tokens: tokens.length,
    },
  );
}
