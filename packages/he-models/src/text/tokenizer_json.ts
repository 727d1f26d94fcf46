/** The part of Hugging Face's `tokenizer.json` that a WordPiece model uses. */
export interface TokenizerJson {
  readonly version: string;
  readonly added_tokens: readonly Readonly<Record<string, unknown>>[];
  readonly normalizer: Readonly<Record<string, unknown>>;
  readonly pre_tokenizer: Readonly<Record<string, unknown>>;
  /** What frames every text, [CLS] and [SEP] say. */
  readonly post_processor: Readonly<Record<string, unknown>> | null;
  readonly decoder: Readonly<Record<string, unknown>>;
  readonly model: {
    readonly type: 'WordPiece';
    readonly unk_token: string;
    readonly continuing_subword_prefix: string;
    readonly max_input_chars_per_word: number;
    readonly vocab: Readonly<Record<string, number>>;
  };
}

export const PAD_TOKEN = '[PAD]';
export const UNKNOWN_TOKEN = '[UNK]';

/** A token of `added_tokens` that no text is normalised or split into. */
export function specialToken(content: string, id: number) {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

/** `tokenizer.json` of an uncased BERT tokenizer with this vocabulary; a token's index is its position. */
export function wordPieceTokenizerJson(vocabulary: readonly string[]): TokenizerJson {
  const special = [PAD_TOKEN, UNKNOWN_TOKEN].map((content) => specialToken(content, vocabulary.indexOf(content)));
  return {
    version: '1.0',
    added_tokens: special,
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: null,
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: UNKNOWN_TOKEN,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: Object.fromEntries(vocabulary.map((token, index) => [token, index])),
    },
  };
}
