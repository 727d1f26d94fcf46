import { describe, expect, test } from '@jest/globals';
import { loadClassifier } from '../../src/client/classifier.js';

describe('loadClassifier', () => {
  test.each(['power-ecg', 'power-stories-260k'])('refuses %s, which does not classify text, before a server is asked', async (name) => {
    await expect(loadClassifier(name)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(name) });
  });
});
