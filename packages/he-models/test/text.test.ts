import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EmptyTextError, TextTooLongError } from '../src/errors.js';
import { pruneVocabulary } from '../src/text/prune_vocabulary.js';
import { textTokenizer } from '../src/text/text_tokenizer.js';
import { PAD_TOKEN, UNKNOWN_TOKEN, wordPieceTokenizerJson } from '../src/text/tokenizer_json.js';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
const VOCABULARY = [
  PAD_TOKEN,
  UNKNOWN_TOKEN,
  '[CLS]',
  'card',
  'lost',
  '##s',
  'my',
  '!',
  ...LETTERS,
  ...LETTERS.map((letter) => `##${letter}`),
  '你',
  '##你',
];
const tokenize = textTokenizer(wordPieceTokenizerJson(VOCABULARY), 6);

describe('textTokenizer', () => {
  test.each([
    ['My cards!', ['my', 'card', '##s', '!']],
    ['  MY\tcärd ', ['my', 'card']],
    ['card?', ['card', UNKNOWN_TOKEN]],
    ['log', ['l', '##o', '##g']],
  ])('splits %j into word pieces', (text, tokens) => {
    expect(tokenize(text).tokens).toEqual(tokens);
  });

  test('indices are positions in the vocabulary', () => {
    expect(tokenize('my card').ids).toEqual([VOCABULARY.indexOf('my'), VOCABULARY.indexOf('card')]);
  });

  test.each(['', '  \n', '\u0000'])('refuses %j as empty', (text) => {
    expect(() => tokenize(text)).toThrow(EmptyTextError);
  });

  test('says how long a text is that is too long', () => {
    expect(() => tokenize('my my my my my my my')).toThrow(
      new TextTooLongError('The text has 7 tokens and the model takes 6: shorten it.'),
    );
  });

  test('cuts off what is too long when asked to', () => {
    expect(tokenize('my my my my my my card', { truncate: true }).tokens).toEqual(['my', 'my', 'my', 'my', 'my', 'my']);
  });
});

describe('pruneVocabulary', () => {
  test('keeps frequent tokens and Latin characters, padding and unknown first', () => {
    const kept = pruneVocabulary(VOCABULARY, ['my card', 'my lost cards'], 2);
    expect(kept.slice(0, 4)).toEqual([PAD_TOKEN, UNKNOWN_TOKEN, 'card', '##s']);
    expect(kept).toContain('my');
    for (const dropped of ['lost', '[CLS]', '你', '##你']) expect(kept).not.toContain(dropped);
  });

  test('leaves no Latin word unknown', () => {
    const kept = textTokenizer(wordPieceTokenizerJson(pruneVocabulary(VOCABULARY, ['card'], 1)), 100);
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...LETTERS), minLength: 1, maxLength: 20 }), (word) => {
        expect(kept(word).tokens).not.toContain(UNKNOWN_TOKEN);
      }),
    );
  });
});
