import { describe, expect, test } from '@jest/globals';
import { printedBy, readmeExample } from './readme_example.js';

// Those of language models run on a tiny one in stories.test.ts.
describe('the examples in the README', () => {
  test.each([
    ['session.run(', 'lost_or_stolen_card'],
    ['await fromPretrained(', 'lost_or_stolen_card'],
    ['await clientFromPretrained(', "'where'"],
  ])('that with %s prints %s', async (part, printed) => {
    expect(await printedBy(await readmeExample(part))).toContain(printed);
  });

  // Encrypted, it takes half a minute on a busy machine: here it runs the same program in simulation.
  test('that of a pipeline prints transaction_charged_twice', async () => {
    const code = (await readmeExample("await classify('I was charged twice'")).replace("'execute'", "'simulate'");
    expect(await printedBy(code)).toContain('transaction_charged_twice');
  });
});
