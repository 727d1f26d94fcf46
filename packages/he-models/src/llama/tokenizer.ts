import { AssetError } from '../errors.js';
import { specialToken } from '../text/tokenizer_json.js';

/** Pieces of a SentencePiece vocabulary, by index, with the scores that order its merges. */
export interface LlamaVocabulary {
  readonly pieces: readonly string[];
  readonly scores: readonly number[];
}

/** The part of Hugging Face's `tokenizer.json` that a byte-pair model with byte fallback uses. */
export interface BytePairTokenizerJson {
  readonly version: string;
  readonly added_tokens: readonly Readonly<Record<string, unknown>>[];
  readonly normalizer: Readonly<Record<string, unknown>>;
  readonly pre_tokenizer: null;
  readonly post_processor: null;
  readonly decoder: Readonly<Record<string, unknown>>;
  readonly model: {
    readonly type: 'BPE';
    readonly unk_token: string;
    readonly fuse_unk: boolean;
    readonly byte_fallback: boolean;
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly (readonly [string, string])[];
  };
}

/** `<unk>`, `<s>` and `</s>`, which llama2.c writes between line breaks. */
const SPECIAL_PIECES = ['<unk>', '<s>', '</s>'] as const;
/** Begins every sequence; a model says it again where a text ends. */
export const BEGIN_TOKEN = 1;
/** Specials, then a piece for every byte. */
const FIRST_WORD_PIECE = SPECIAL_PIECES.length + 256;
/** How Hugging Face writes a space in pieces. */
const SPACE = '\u2581';
const HEADER_BYTES = 4;

/**
 * Reads a `tokenizer.bin` of llama2.c: the length of the longest piece as int32, then score (float32), length (int32) and UTF-8 bytes of each
 * piece, little-endian.
 *
 * @param vocabulary number of pieces, which the file does not say
 * @throws AssetError for a file that is cut off, longer than its pieces, no UTF-8, or not of a vocabulary with specials and bytes first
 */
export function parseLlamaVocabulary(bytes: Uint8Array, vocabulary: number, name = 'the tokenizer'): LlamaVocabulary {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (what: string): never => {
    throw new AssetError(`${name} is no llama2.c tokenizer of ${vocabulary} pieces: ${what}.`, { vocabulary });
  };
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const pieces: string[] = [];
  const scores: number[] = [];
  let offset = HEADER_BYTES;
  while (pieces.length < vocabulary) {
    if (offset + 8 > bytes.length) fail(`it ends after ${pieces.length}`);
    const score = view.getFloat32(offset, true);
    const length = view.getInt32(offset + 4, true);
    offset += 8;
    if (!Number.isFinite(score)) fail(`the score of piece ${pieces.length} is not finite`);
    if (length < 1 || length > bytes.length - offset) fail(`piece ${pieces.length} says it has ${length} bytes`);
    try {
      pieces.push(decoder.decode(bytes.subarray(offset, offset + length)));
    } catch {
      fail(`piece ${pieces.length} is no UTF-8`);
    }
    scores.push(score);
    offset += length;
  }
  if (offset !== bytes.length) fail(`${bytes.length - offset} bytes follow them`);
  const expected = [...SPECIAL_PIECES, ...Array.from({ length: 256 }, (_, byte) => bytePiece(byte))];
  const wrong = expected.findIndex((piece, index) => pieces[index]?.trim() !== piece);
  if (wrong !== -1) fail(`piece ${wrong} is ${JSON.stringify(pieces[wrong])} instead of ${expected[wrong]}`);
  return { pieces, scores };
}

/**
 * `tokenizer.json` that encodes as llama2.c and SentencePiece do: a space before the text, then the merge with the best score first; characters
 * outside of the vocabulary become bytes.
 */
export function bytePairTokenizerJson({ pieces, scores }: LlamaVocabulary): BytePairTokenizerJson {
  const names = pieces.map((piece, index) => (index < FIRST_WORD_PIECE ? piece.trim() : piece.replaceAll(' ', SPACE)));
  // The first of equal pieces, as later ones can never be reached.
  const vocab: Record<string, number> = {};
  names.forEach((piece, index) => {
    if (!Object.hasOwn(vocab, piece)) vocab[piece] = index;
  });
  const byScore = names
    .map((piece, index) => ({ piece, index, score: scores[index] ?? 0 }))
    .filter(({ piece, index }) => index >= FIRST_WORD_PIECE && vocab[piece] === index)
    .sort((a, b) => b.score - a.score || a.index - b.index);
  const isWordPiece = (piece: string): boolean => Object.hasOwn(vocab, piece) && (vocab[piece] ?? 0) >= FIRST_WORD_PIECE;
  const merges = byScore.flatMap(({ piece }) => {
    const characters = [...piece];
    return characters.slice(1).flatMap((_, cut) => {
      const parts = [characters.slice(0, cut + 1).join(''), characters.slice(cut + 1).join('')] as const;
      return parts.every(isWordPiece) ? [parts] : [];
    });
  });
  return {
    version: '1.0',
    added_tokens: SPECIAL_PIECES.map(specialToken),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: SPACE },
        { type: 'Replace', pattern: { String: ' ' }, content: SPACE },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: SPACE }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: { type: 'BPE', unk_token: SPECIAL_PIECES[0], fuse_unk: true, byte_fallback: true, vocab, merges },
  };
}

function bytePiece(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** Pieces by index; indices without one are called by their number. */
export function piecesOf({ model }: BytePairTokenizerJson, vocabulary: number): readonly string[] {
  const pieces = new Map(Object.entries(model.vocab).map(([piece, id]) => [id, piece]));
  return Array.from({ length: vocabulary }, (_, id) => pieces.get(id) ?? `#${id}`);
}
