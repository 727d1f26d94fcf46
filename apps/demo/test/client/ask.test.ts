import { describe, expect, test } from '@jest/globals';
import { ask } from '../../src/cli/ask.js';
import type { ClientEvent } from '../../src/client/encrypted_session.js';
import { runningApp } from '../support/running_app.js';
import { tinyClassifier } from '../support/tiny_model.js';

const signal = new AbortController().signal;

describe.each(['mock', 'seal', 'simd'] as const)('a question over the network with engine %s', (engine) => {
  test('is answered as the plain model does, again and again with the same keys', async () => {
    await using server = await runningApp(engine);
    const events: ClientEvent[] = [];
    const onEvent = (event: ClientEvent) => events.push(event);
    const report = await ask({
      classifier: tinyClassifier,
      question: 'hello',
      url: server.url,
      engine,
      repeat: 2,
      signal,
      onEvent,
      serverMs: 7,
    });

    expect(report.encrypted.map(({ label }) => label)).toEqual(report.plain.map(({ label }) => label));
    for (const run of report.runs) expect(run.maxAbsError).toBeLessThan(2 ** -8);
    expect(report.runs.map(({ latencyMs }) => latencyMs.setup > 0)).toEqual([true, false]);
    expect(report.refreshes).toBe(1);
    const types = new Set(events.map(({ type }) => type));
    expect([...types].sort()).toEqual(['keys', 'phase', 'run', 'upload']);
  });
});

test.each([
  ['mock', 'seal'],
  ['mock', undefined],
  ['seal', 'simd'],
] as const)('nothing is sent to a server of engine %s by a client that asks for %s', async (runs, engine) => {
  await using server = await runningApp(runs);
  const asked = ask({
    classifier: tinyClassifier,
    question: 'x',
    url: server.url,
    engine,
    repeat: 1,
    signal,
    onEvent: () => {},
    serverMs: 0,
  });
  await expect(asked).rejects.toMatchObject({ code: 'ENGINE_MISMATCH' });
});

test('an abort ends a run at once with the reason given', async () => {
  await using server = await runningApp('mock');
  const controller = new AbortController();
  const onEvent = (event: ClientEvent) => {
    if (event.type === 'run') controller.abort(new Error('enough'));
  };
  const { signal } = controller;
  const asked = ask({
    classifier: tinyClassifier,
    question: 'x',
    url: server.url,
    engine: 'mock',
    repeat: 1,
    signal,
    onEvent,
    serverMs: 0,
  });
  await expect(asked).rejects.toThrow('enough');
});

test('an address that is no server of ours is reported in one line', async () => {
  await using server = await runningApp('mock');
  const url = new URL('elsewhere/', server.url);
  const asked = ask({ classifier: tinyClassifier, question: 'x', url, engine: 'mock', repeat: 1, signal, onEvent: () => {}, serverMs: 0 });
  await expect(asked).rejects.toMatchObject({ code: 'SERVER_REFUSED', message: expect.stringContaining('/elsewhere/models/tiny') });
});
