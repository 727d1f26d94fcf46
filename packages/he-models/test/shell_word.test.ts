import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';
import { shellWord } from '../src/shell_word.js';

test.each(['plain', 'two words', 'a$HOME', 'the "best"', "it's", "`a` 'b' \\ !", ''])('a shell reads %j back', (value) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellWord(value)}`], { encoding: 'utf8' })).toBe(value);
});

test('plain words and phrases stay readable', () => {
  expect([shellWord('mail-1.csv'), shellWord('Once upon a time')]).toEqual(['mail-1.csv', '"Once upon a time"']);
});
