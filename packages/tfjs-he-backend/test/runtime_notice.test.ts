import { expect, test } from '@jest/globals';
import { runtimeNotice } from '../src/runtime_notice.js';

test('a runtime that is too old is told so in one line that names what would do', () => {
  const notice = runtimeNotice(false);
  expect(notice).toMatch(/Node 22/);
  expect(notice).not.toContain('\n');
});

test('a runtime that works is told nothing', () => {
  expect(runtimeNotice(true)).toBeNull();
});
