import { describe, expect, test } from '@jest/globals';
import { parseJson, type RunEvent, runEvent, sessionReply } from '../../src/protocol/messages.js';

const layer: RunEvent = {
  type: 'layer',
  name: 'block_0/attention',
  level: 3,
  segment: 0,
  segments: 2,
  done: 1,
  total: 9,
  fraction: 0.1,
  remainingMs: 100,
};

describe('messages of the server', () => {
  test('are taken as they are when they fit the schema', () => {
    expect(parseJson(runEvent, JSON.stringify(layer))).toEqual(layer);
  });

  test.each([
    ['no JSON', '<html>'],
    ['an unknown event', JSON.stringify({ type: 'reboot' })],
    ['a missing field', JSON.stringify({ ...layer, level: undefined })],
    ['a number out of range', JSON.stringify({ ...layer, done: -1 })],
    ['terminal control characters', JSON.stringify({ ...layer, name: '\u001b[2J' })],
    ['text without end', JSON.stringify({ ...layer, name: 'x'.repeat(2000) })],
  ])('are refused when they are %s', (_what, json) => {
    expect(() => parseJson(runEvent, json)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }));
  });

  test('cannot name a session that would change the address asked next', () => {
    for (const session of ['../../x/aaaaaaaaaaaa', 'a', 'aaaaaaaaaaaaaaaa?b']) {
      expect(() => parseJson(sessionReply, JSON.stringify({ session, expiresInMs: 1 }))).toThrow(
        expect.objectContaining({ code: 'PROTOCOL' }),
      );
    }
  });
});
