import { expect, test } from '@jest/globals';
import { requireNode } from '../src/runtime.js';

test('an older Node is refused in one line that says what to do', () => {
  expect(() => requireNode('20.19.5')).toThrow(/^Node >= 22 is needed and this is 20\.19\.5: use npm start, which brings its own$/);
});

test.each(['22.0.0', '24.9.0', '100.1.0'])('Node %s is accepted', (version) => {
  expect(() => requireNode(version)).not.toThrow();
});
