/**
 * The server process: `node server_main.js [--host H] [--port N] [--model NAME] [--engine simd|seal|mock] [--threads N] [--max-sessions N] [--session-minutes N]`.
 * Nothing reachable from here can make keys or decrypt; a test walks the module graph. A parent that forked it learns of the address, or of
 * the failure, over IPC, and takes it along when it goes.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer as createNetServer } from 'node:net';
import { HeModelServer } from 'he-models/server';
import { parseServerArguments } from './cli/server_arguments.js';
import { codeOf, DemoError, EXIT_USAGE, oneLine } from './errors.js';
import type { ServerReport } from './protocol/report.js';
import { requireNode } from './runtime.js';
import { createApp } from './server/app.js';

async function main(): Promise<void> {
  requireNode(process.versions.node);
  const { host, port, model, engine, threads, maxSessions, sessionMinutes } = parseServerArguments(process.argv.slice(2));
  await checkFree(host, port); // before seconds are spent on compiling
  const hosted = await HeModelServer.from_pretrained(model, {
    ...(engine === undefined ? {} : { engine }),
    ...(threads === undefined ? {} : { threads }),
    progress_callback: loadingNotice(model),
  });
  const app = await createApp({ models: new Map([[model, hosted]]), limits: { maxSessions, timeToLiveMs: sessionMinutes * 60_000 } });
  await app.listen({ host, port }).catch((cause: unknown) => {
    throw cannotListen(host, port, cause);
  });
  const address = app.server.address() as AddressInfo; // listening on TCP
  report({ type: 'listening', url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}/`, model, engine: hosted.engine });
  await hosted.prepare(); // while the first client is still making its keys
}

/** @throws DemoError PORT_IN_USE, SERVER_START. */
async function checkFree(host: string, port: number): Promise<void> {
  const probe = createNetServer().listen({ host, port });
  try {
    await once(probe, 'listening');
  } catch (cause) {
    throw cannotListen(host, port, cause);
  }
  probe.close();
  await once(probe, 'close');
}

function cannotListen(host: string, port: number, cause: unknown): DemoError {
  const hint = 'choose another with --port, 0 for a free one';
  if (codeOf(cause) === 'EADDRINUSE') return new DemoError('PORT_IN_USE', `port ${port} is in use: ${hint}`, { cause });
  return new DemoError('SERVER_START', `cannot listen on ${host}:${port} (${oneLine(cause)}): ${hint}`, { cause });
}

/** Announces, on the first sign of progress, what takes seconds; a parent process announces it itself. */
function loadingNotice(model: string): () => void {
  let announced = process.send !== undefined;
  return () => {
    if (!announced) process.stderr.write(`loading and compiling ${model} ...\n`);
    announced = true;
  };
}

function report(message: ServerReport): void {
  if (process.send !== undefined) process.send(message);
  else if (message.type === 'listening') process.stderr.write(`serving ${message.model} (engine ${message.engine}) at ${message.url}\n`);
  else process.stderr.write(`error: ${message.message}\n`);
}

function fail(error: unknown): void {
  report({ type: 'failed', code: codeOf(error) ?? 'SERVER_START', message: oneLine(error) });
  process.exitCode = codeOf(error) === 'USAGE' ? EXIT_USAGE : 1;
  if (process.connected) process.disconnect();
  else process.exit();
}

if (process.send !== undefined) {
  process.on('disconnect', () => process.exit());
  process.on('SIGINT', () => {}); // Ctrl-C reaches the whole group; the parent decides
}
process.on('uncaughtException', fail);
main().catch(fail);
