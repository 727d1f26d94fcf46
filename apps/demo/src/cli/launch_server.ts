import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { DemoError } from '../errors.js';
import { serverReport } from '../protocol/report.js';
import type { AskCommand } from './arguments.js';

const SERVER_MAIN = fileURLToPath(new URL('../server_main.js', import.meta.url));
const STOP_MS = 2000;

export interface ServerProcess {
  readonly url: URL;
  readonly pid: number;
  /** Aborts, with a reason to show, when the process ends before `stop`. */
  readonly died: AbortSignal;
  stop(): Promise<void>;
}

/**
 * Starts a server in a process of its own, which ends with this one whatever happens. Only these options go to it.
 * @throws DemoError SERVER_START, PORT_IN_USE, or the reason of `signal`.
 */
export async function launchServer(
  { port, model, engine, threads, verbose }: Pick<AskCommand, 'port' | 'model' | 'engine' | 'threads' | 'verbose'>,
  signal: AbortSignal,
): Promise<ServerProcess> {
  const chosen = [...(engine === undefined ? [] : ['--engine', engine]), ...(threads === undefined ? [] : ['--threads', String(threads)])];
  const child = fork(SERVER_MAIN, ['--port', String(port), '--model', model, ...chosen], {
    execArgv: ['--no-warnings'],
    stdio: ['ignore', 'ignore', verbose ? 'inherit' : 'ignore', 'ipc'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const died = new AbortController();
  const exited = once(child, 'exit').then(([code, name]) => {
    process.off('exit', kill);
    died.abort(diedUnexpectedly(name ?? `exit code ${code}`));
  });
  const stop = async (): Promise<void> => {
    child.kill();
    const timer = setTimeout(kill, STOP_MS);
    await exited;
    clearTimeout(timer);
  };
  try {
    const url = await listening(child, AbortSignal.any([signal, died.signal]));
    return { url, pid: child.pid ?? 0, died: died.signal, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function listening(child: ChildProcess, signal: AbortSignal): Promise<URL> {
  const { promise, resolve, reject } = Promise.withResolvers<URL>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  child.once('error', (cause) => reject(new DemoError('SERVER_START', `cannot start the server process: ${cause.message}`, { cause })));
  child.once('message', (message) => {
    const report = serverReport.parse(message);
    if (report.type === 'listening') resolve(new URL(report.url));
    else reject(new DemoError(report.code === 'PORT_IN_USE' ? 'PORT_IN_USE' : 'SERVER_START', report.message));
  });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function diedUnexpectedly(how: string): DemoError {
  return new DemoError('SERVER_DIED', `the server process ended unexpectedly (${how}): try again`);
}

/** Runs the server in the foreground, in a process of its own as well, and resolves to its exit code. @throws DemoError SERVER_DIED if something killed it. */
export async function runServer(argv: readonly string[], signal: AbortSignal): Promise<number> {
  const child = spawn(process.execPath, ['--no-warnings', SERVER_MAIN, ...argv], { stdio: 'inherit' });
  const kill = (): void => void child.kill();
  process.once('exit', kill);
  signal.addEventListener('abort', kill, { once: true });
  const [code, name] = await once(child, 'exit');
  process.off('exit', kill);
  if (typeof code === 'number') return code;
  if (signal.aborted) return 0; // stopped on request
  throw diedUnexpectedly(name);
}
