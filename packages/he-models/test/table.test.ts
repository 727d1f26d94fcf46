import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseTable } from '../src/data/table.js';
import { DataError } from '../src/errors.js';
import { buildVocabulary } from '../src/text/build_vocabulary.js';
import { textTokenizer } from '../src/text/text_tokenizer.js';
import { UNKNOWN_TOKEN, wordPieceTokenizerJson } from '../src/text/tokenizer_json.js';

const columns = { text: 'says', label: 'kind' };

describe('parseTable', () => {
  test('reads quoted commas, quotes and line breaks, and leaves out rows without text or label', () => {
    const csv = '\ufeffid,kind,says\n1,a,"one, ""two""\nthree"\n\n2,b, four \n3,,five\n4,b,""\n5,a\n';
    expect(parseTable(csv, columns)).toEqual({
      rows: [
        { text: 'one, "two"\nthree', label: 'a' },
        { text: 'four', label: 'b' },
      ],
      skipped: 3,
    });
  });

  test('leaves out texts that cannot be read before it counts labels', () => {
    const csv = 'says,kind\nx,a\ny,b\n-,c\n';
    const readable = (text: string) => text !== '-';
    expect(parseTable(csv, columns, readable)).toMatchObject({ rows: [{ label: 'a' }, { label: 'b' }], skipped: 1 });
    expect(() => parseTable(csv.replace('\ny', '\n-'), columns, readable)).toThrow('the same label, a');
  });

  test.each([
    ['a column that is not there, naming those that are', 'text,kind\nx,a\ny,b\n', 'it has text, kind'],
    ['one label', 'says,kind\nx,a\ny,a\n', 'the same label, a'],
    ['no row with a text', 'says,kind\n,a\n,b\n', 'No row has both'],
    ['nothing', '', 'no header'],
    ['a quote that does not end', 'says,kind\n"x,a\n', 'double the quotes inside'],
  ])('refuses %s', (_, csv, mention) => {
    expect(() => parseTable(csv, columns)).toThrow(DataError);
    expect(() => parseTable(csv, columns)).toThrow(mention);
  });
});

describe('buildVocabulary', () => {
  const texts = ['The café opens at 9!', 'the cafe closes', 'ночь', 'the 犬'];

  test('has frequent words, as the tokenizer normalises them', () => {
    expect(textTokenizer(wordPieceTokenizerJson(buildVocabulary(texts, 2)), 9)('The CAFÉ').tokens).toEqual(['the', 'cafe']);
  });

  test('spells every word of its texts', () => {
    const tokenize = textTokenizer(wordPieceTokenizerJson(buildVocabulary(texts, 100)), 99);
    for (const text of texts) expect(tokenize(text).tokens).not.toContain(UNKNOWN_TOKEN);
  });

  test('has no word twice', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 12 }), { maxLength: 8 }), (some) => {
        const vocabulary = buildVocabulary(some, 1);
        expect(new Set(vocabulary).size).toBe(vocabulary.length);
      }),
      { seed: 6, numRuns: 60 },
    );
  });
});
