import { expect, test } from '@jest/globals';
import { isAlive, runCli, startCli } from '../support/run_cli.js';

test('a server alone answers clients that name its address, and stops when told', async () => {
  const server = startCli('server', '--engine', 'mock', '--port', '0');
  const [, url] = await server.seen(/serving power-banking77 \(engine mock\) at (\S+)/);

  const refused = await runCli('ask', '--url', url!, 'Where is my card?');
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('error: the server runs the engine mock, which keeps nothing secret: pass --engine mock'),
  });

  const answered = await runCli('ask', '--url', url!, '--engine', 'mock', 'Where is my card?');
  expect(answered).toMatchObject({ code: 0, stdout: expect.stringContaining('largest absolute error of the logits') });
  expect(answered.stdout).toContain('nothing was secret');

  server.process.kill('SIGTERM');
  await server.finished;
  expect(isAlive(server.process.pid!)).toBe(false);
});
