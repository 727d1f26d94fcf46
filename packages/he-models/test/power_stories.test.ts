import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { TrainedStoryConfig } from '../src/train/stories/story_artefacts.js';
import { STORIES_RECIPE } from '../src/train/stories/story_recipe.js';
import { startWasm } from '../src/train/wasm.js';
import { loadClearModel } from '../src/use/clear_model.js';
import { loadClearReader } from '../src/use/clear_reader.js';
import { HeModelClient } from '../src/use/he_model_client.js';
import { pipeline } from '../src/use/pipeline.js';
import { shippedCard } from './shipped_models.js';

const NAME = 'power-stories-260k';

async function shippedStories(): Promise<TrainedStoryConfig> {
  const models = join(dirname(dirname(fileURLToPath(import.meta.url))), 'models');
  return JSON.parse(await readFile(join(models, NAME, 'config.json'), 'utf8'));
}

describe(NAME, () => {
  beforeAll(startWasm);

  test('begins a story', async () => {
    const generate = await pipeline('text-generation', null, { fhe: 'disable' });
    const [generation] = await generate('Once upon a', { max_new_tokens: 12 });
    expect(generation?.generated_text).toMatch(/^Once upon a time, there was a little girl named/);
    generate.dispose();
  });

  test('read token by token gives the logits of whole texts at every place', async () => {
    const client = await HeModelClient.from_pretrained(NAME);
    const [whole, reader] = [await loadClearModel(NAME), await loadClearReader(client, NAME)];
    const [, tokens] = client.inputShape;
    const { ids } = client.tokenize(
      'Once upon a time, there was a little girl named Lily. She loved to play with her toys in the park. One day',
      {
        truncate: true,
      },
    );
    expect(ids.length).toBe(tokens);
    const expected = whole.logits(client.embed(ids));
    const text = reader.begin();
    for (let t = 0; t < tokens; t++) {
      const logits = await text.read([ids[t]!]);
      const row = expected.subarray(t * client.labels.length, (t + 1) * client.labels.length);
      expect(Math.max(...logits.map((value, i) => Math.abs(value - row[i]!)))).toBeLessThan(1e-4);
    }
    for (const part of [text, whole, reader]) part.dispose();
  });

  test('holds what was promised: at most 0.10 nats a token above the original', async () => {
    const { loss } = await shippedStories();
    expect(loss.polynomial - loss.softmax).toBeLessThanOrEqual(0.1);
  });

  test('is of the recipe that trains it today', async () => {
    expect((await shippedStories()).recipe).toEqual(STORIES_RECIPE);
  });

  test('has a card with the figures of the configuration', async () => {
    const [card, { loss, outsideIntervals, approximatedValues }] = [await shippedCard(NAME), await shippedStories()];
    for (const figure of Object.values(loss)) expect(card).toContain(`| ${figure.toFixed(4)} |`);
    expect(card).toContain(`${outsideIntervals} of ${approximatedValues} values are outside`);
  });
});
