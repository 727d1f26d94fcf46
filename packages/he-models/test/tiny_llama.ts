import { normals, seededRandom } from '../src/random.js';
import { littleEndian } from '../src/train/model_folder.js';

/** Sizes of the checkpoint that tests write, in the order of its header; grouped heads, all sizes different. */
export const TINY_LLAMA = { features: 8, hidden: 12, layers: 2, heads: 2, keyValueHeads: 1, vocabulary: 270, maxTokens: 16 };

/** A llama2.c checkpoint of version 0 with random weights. @param shared whether the classifier is the embedding */
export function tinyLlamaBytes({ shared = true, ...changes }: Partial<typeof TINY_LLAMA> & { shared?: boolean } = {}): Uint8Array {
  const sizes = { ...TINY_LLAMA, ...changes };
  const { features, hidden, layers, heads, keyValueHeads, vocabulary, maxTokens } = sizes;
  const headSize = features / heads;
  const random = seededRandom(5);
  const ones = (count: number) => normals(count, 0.3, random).map((value) => 1 + value);
  const some = (count: number) => normals(count, 0.8, random);
  const weights = [
    some(vocabulary * features),
    ones(layers * features),
    some(layers * features * features),
    some(layers * keyValueHeads * headSize * features),
    some(layers * keyValueHeads * headSize * features),
    some(layers * features * features),
    ones(layers * features),
    some(layers * hidden * features),
    some(layers * features * hidden),
    some(layers * hidden * features),
    ones(features),
    new Float32Array(maxTokens * headSize),
    ...(shared ? [] : [some(vocabulary * features)]),
  ];
  const header = new Uint8Array(
    Int32Array.from({ ...Object.values({ ...sizes, vocabulary: shared ? vocabulary : -vocabulary }), length: 7 }).buffer,
  );
  return Uint8Array.from([...header, ...littleEndian(weights)]);
}

/** Pieces after specials and bytes, best first; their scores fall by 1. */
const WORD_PIECES = [' t', 'he', ' the', 'at', ' ', 't', 'h', 'e', 'a', 'c', ' c'];

/** A llama2.c `tokenizer.bin` of 270 pieces. */
export function tinyVocabularyBytes(words: readonly string[] = WORD_PIECES): Uint8Array {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  const pieces = ['<unk>', '\n<s>\n', '\n</s>\n', ...bytes, ...words];
  const encoder = new TextEncoder();
  const parts = pieces.flatMap((piece, index) => {
    const text = encoder.encode(piece);
    return [littleEndian([Float32Array.of(-index)]), new Uint8Array(Int32Array.of(text.length).buffer), text];
  });
  return Uint8Array.from([new Uint8Array(Int32Array.of(8).buffer), ...parts].flatMap((part) => [...part]));
}
