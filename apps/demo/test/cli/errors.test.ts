import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { runCli } from '../support/run_cli.js';

const LONG = Array.from({ length: 80 }, () => 'card').join(' ');

describe('the real command refuses in one line', () => {
  test.each([
    ['an empty question', [''], 1, /^error: The text is empty/],
    ['a blank question', ['  '], 1, /^error: The text is empty/],
    ['no question', [], 2, /^error: no question given/],
    ['a question longer than the model takes', [LONG], 1, /^error: The text has \d+ tokens and the model takes 32/],
    ['an unknown model', ['hello', '--model', 'gpt'], 1, /^error: There is no pretrained model gpt/],
    ['no threads', ['hello', '--threads', '0'], 2, /^error: --threads is '0'/],
    ['threads for a server that runs', ['hello', '--threads', '2', '--url', 'http://127.0.0.1:1'], 2, /^error: --threads/],
    ['an unknown engine', ['hello', '--engine', 'quantum'], 2, /^error: unknown engine 'quantum'/],
    ['an unknown option', ['hello', '--fast'], 2, /^error: Unknown option '--fast'/],
    ['an option without its value', ['hello', '--port'], 2, /^error: Option '--port <value>' argument missing/],
    ['a port out of range', ['hello', '--port', '70000'], 2, /^error: --port is '70000'/],
    ['an address that is none', ['ask', '--url', 'nowhere', 'hello'], 2, /^error: --url is 'nowhere'/],
    ['a port beside an address', ['ask', '--url', 'http://127.0.0.1:1', '--port', '1', 'hello'], 2, /^error: --port is for/],
    ['an unknown option of the server', ['server', '--fast'], 2, /^error: Unknown option '--fast'/],
    ['an unknown model of the server', ['server', '--model', 'gpt', '--port', '0'], 1, /^error: There is no pretrained model gpt/],
  ])('%s', async (_what, args, expected, message) => {
    const { code, stdout, stderr } = await runCli(...args);
    expect({ code, stdout, lines: stderr.trimEnd().split('\n').length }).toEqual({ code: expected, stdout: '', lines: 1 });
    expect(stderr).toMatch(message);
  });

  test('an address where nothing listens', async () => {
    const { code, stderr } = await runCli('ask', '--url', `http://127.0.0.1:${await unusedPort()}`, 'hello');
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^error: cannot reach the server at .* \(nothing listens there\)/);
  });

  test.each([
    ['for its own server', ['hello', '--engine', 'mock']],
    ['for the server alone', ['server', '--engine', 'mock']],
  ])('a port in use %s', async (_what, args) => {
    const blocker = net.createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as AddressInfo;
    const { code, stderr } = await runCli(...args, '--port', String(port));
    blocker.close();
    expect(code).toBe(1);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(`error: port ${port} is in use: choose another with --port, 0 for a free one`);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

test('--help prints the commands', async () => {
  const { code, stdout, stderr } = await runCli('--help');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('npm start -- server');
});

async function unusedPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
