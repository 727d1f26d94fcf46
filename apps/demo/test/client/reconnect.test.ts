import { expect, test } from '@jest/globals';
import { ask } from '../../src/cli/ask.js';
import type { ClientEvent } from '../../src/client/encrypted_session.js';
import { type Break, droppingProxy } from '../support/dropping_proxy.js';
import { type RunningApp, runningApp } from '../support/running_app.js';
import { tinyClassifier } from '../support/tiny_model.js';

const signal = new AbortController().signal;
// A mock ciphertext takes 33 kB and there is one of each kind: inputs, refresh, refreshed, outputs.
const IN_INPUTS: Break = { up: 20_000 };
const IN_REFRESH: Break = { down: 20_000 };
const IN_REFRESHED: Break = { up: 45_000 };
const IN_REFRESHED_AGAIN: Break = { up: 15_000 };
const IN_OUTPUTS: Break = { down: 45_000 };

async function askThrough(server: RunningApp, breaks: readonly Break[]) {
  await using proxy = await droppingProxy(server.url, breaks);
  const events: ClientEvent[] = [];
  const onEvent = (event: ClientEvent) => events.push(event);
  const request = {
    classifier: tinyClassifier,
    question: 'hello',
    url: proxy.url,
    engine: 'mock',
    repeat: 1,
    signal,
    onEvent,
    serverMs: 0,
  } as const;
  const report = await ask(request);
  const resumed = events.flatMap((event) => (event.type === 'run' && event.event.type === 'resumed' ? [event.event.segment] : []));
  const lost = events.filter(({ type }) => type === 'reconnect').length;
  return { report, resumed, lost, connections: proxy.connections() };
}

test.each<[string, Break[], number[]]>([
  ['while the inputs go up is begun again', [IN_INPUTS], []],
  ['while a refresh comes down is asked for it again', [IN_REFRESH], [0]],
  ['while the answer to a refresh goes up is asked for it again', [IN_REFRESHED], [0]],
  ['while the outputs come down gets them again', [IN_OUTPUTS], [1]],
  ['again and again gets there', [IN_INPUTS, IN_REFRESH, IN_REFRESHED_AGAIN, IN_OUTPUTS], [0, 0, 1]],
])('a question whose connection breaks %s', async (_, breaks, segments) => {
  await using server = await runningApp('mock');
  const { report, resumed, lost, connections } = await askThrough(server, breaks);
  expect(report.maxAbsError).toBeLessThan(2 ** -8);
  expect(report.refreshes).toBe(1);
  expect(lost).toBe(breaks.length);
  expect(connections).toBe(breaks.length + 1);
  expect(resumed).toEqual(segments);
});

test('an interrupted question that the server has given up is asked again from the start', async () => {
  await using server = await runningApp('mock', { limits: { resumeMs: 1 } });
  const { report, resumed, lost } = await askThrough(server, [IN_REFRESH]);
  expect(report.maxAbsError).toBeLessThan(2 ** -8);
  expect(resumed).toEqual([]);
  expect(lost).toBe(2);
});

test('a connection that never holds is given up in one line', async () => {
  await using server = await runningApp('mock');
  await expect(askThrough(server, new Array<Break>(20).fill(IN_INPUTS))).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
}, 20_000);
