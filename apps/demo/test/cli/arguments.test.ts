import { describe, expect, test } from '@jest/globals';
import { parseCommand } from '../../src/cli/arguments.js';
import { parseServerArguments } from '../../src/cli/server_arguments.js';

describe('engine and threads', () => {
  test('are the choice of the server, which knows its runtime, unless given', () => {
    expect(parseCommand(['hello'])).toMatchObject({ kind: 'ask', engine: undefined, threads: undefined });
    expect(parseServerArguments([])).toMatchObject({ engine: undefined, threads: undefined });
  });

  test('are those that are given', () => {
    const given = ['--engine', 'seal', '--threads', '3'];
    expect(parseCommand(['hello', ...given])).toMatchObject({ engine: 'seal', threads: 3 });
    expect(parseServerArguments(given)).toMatchObject({ engine: 'seal', threads: 3 });
  });

  test.each(['0', '65', '1.5', 'two'])('%s threads are refused', (threads) => {
    expect(() => parseServerArguments(['--threads', threads])).toThrow('--threads');
  });
});
