/**
 * The server process: `node server_main.js [--host H] [--port N] [--model NAME] [--engine mock|seal] [--max-sessions N] [--session-minutes N]`.
 * Nothing reachable from here can make keys or decrypt; a test walks the module graph. A parent that forked it learns of the address, or of
 * the failure, over IPC, and takes it along when it goes.
 */
import type { AddressInfo } from 'node:net';
import { parseServerArguments } from './cli/server_arguments.js';
import { codeOf, DemoError, oneLine } from './errors.js';
import type { ServerReport } from './protocol/report.js';
import { createApp } from './server/app.js';
import { hostModel } from './server/hosted_model.js';

async function main(): Promise<void> {
  const { host, port, model, engine, maxSessions, sessionMinutes } = parseServerArguments(process.argv.slice(2));
  const models = new Map([[model, await hostModel(model, engine)]]);
  const app = await createApp({ models, limits: { maxSessions, timeToLiveMs: sessionMinutes * 60_000 } });
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const why = codeOf(cause) === 'EADDRINUSE' ? `port ${port} is in use` : `cannot listen on ${host}:${port} (${oneLine(cause)})`;
    throw new DemoError(
      codeOf(cause) === 'EADDRINUSE' ? 'PORT_IN_USE' : 'SERVER_START',
      `${why}: choose another with --port, 0 for a free one`,
      { cause },
    );
  }
  const address = app.server.address() as AddressInfo; // listening on TCP
  report({ type: 'listening', url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/`, model, engine });
}

function report(message: ServerReport): void {
  if (process.send !== undefined) process.send(message);
  else if (message.type === 'listening') process.stderr.write(`serving ${message.model} (engine ${message.engine}) at ${message.url}\n`);
  else process.stderr.write(`error: ${message.message}\n`);
}

if (process.send !== undefined) {
  process.on('disconnect', () => process.exit(0));
  process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group; the parent decides
}
main().catch((error: unknown) => {
  report({ type: 'failed', code: codeOf(error) ?? 'SERVER_START', message: oneLine(error) });
  process.exitCode = 1;
  process.disconnect?.();
});
