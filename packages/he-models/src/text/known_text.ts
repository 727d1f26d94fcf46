import { UnknownTextError } from '../errors.js';
import type { TokenizedText } from './text_tokenizer.js';
import { UNKNOWN_TOKEN } from './tokenizer_json.js';

/** What BERT's tokenizers put around a text. */
const FRAME = ['[CLS]', '[SEP]'];

/** @throws UnknownTextError if the vocabulary has none of a text's words or characters */
export function requireKnownText({ tokens }: TokenizedText): void {
  const words = tokens.filter((token) => !FRAME.includes(token));
  if (!words.every((token) => token === UNKNOWN_TOKEN)) return;
  throw new UnknownTextError(
    'The tokenizer knows no word or character of this text: write in the language that the model was trained on.',
    {
      tokens: tokens.length,
    },
  );
}
