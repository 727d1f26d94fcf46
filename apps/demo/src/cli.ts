#!/usr/bin/env node
import { setTimeout as delay } from 'node:timers/promises';
import { type AskCommand, parseCommand } from './cli/arguments.js';
import { ask } from './cli/ask.js';
import { Display } from './cli/display.js';
import { HELP } from './cli/help.js';
import { launchServer, runServer, type ServerProcess } from './cli/launch_server.js';
import { type Report, reportText } from './cli/report.js';
import { loadClassifier } from './client/classifier.js';
import { codeOf, DemoError, EXIT_USAGE, oneLine } from './errors.js';
import { requireNode } from './runtime.js';

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;
/** A connection breaks a moment before its server is known to have died. */
const DEATH_NOTICE_MS = 500;

const display = new Display(process.stderr);
const interrupt = new AbortController();
let signalCode = 1;
for (const [name, code] of Object.entries(SIGNALS)) {
  process.on(name, () => {
    if (interrupt.signal.aborted) process.exit(code);
    signalCode = code;
    interrupt.abort(new DemoError('INTERRUPTED', 'interrupted'));
  });
}

async function main(argv: readonly string[]): Promise<number> {
  requireNode(process.versions.node);
  const command = parseCommand(argv);
  if (command.kind === 'server') return runServer(command.argv, interrupt.signal);
  process.stdout.write(command.kind === 'help' ? HELP : await runAsk(command));
  return 0;
}

async function runAsk(command: AskCommand): Promise<string> {
  const { timeoutSeconds, question } = command;
  const timeout = new AbortController();
  const timer = setTimeout(
    () => timeout.abort(new DemoError('TIMEOUT', `no answer within ${timeoutSeconds} s: allow more with --timeout`)),
    timeoutSeconds * 1000,
  );
  const signal = AbortSignal.any([interrupt.signal, timeout.signal]);
  try {
    const classifier = await loadClassifier(command.model);
    classifier.embed(question); // complain about the question before anything expensive
    const report = await (command.url === undefined
      ? askOwnServer(command, classifier, signal)
      : askAt(command, classifier, command.url, signal, 0));
    return command.json ? `${JSON.stringify(report)}\n` : reportText(report);
  } finally {
    clearTimeout(timer);
  }
}

type LoadedClassifier = Awaited<ReturnType<typeof loadClassifier>>;

async function askAt(command: AskCommand, classifier: LoadedClassifier, url: URL, signal: AbortSignal, serverMs: number): Promise<Report> {
  const { question, engine, repeat } = command;
  const report = await ask({
    classifier,
    question,
    url,
    engine,
    repeat,
    signal,
    serverMs,
    onEvent: (event) => display.on(event),
  });
  display.finish();
  return report;
}

async function askOwnServer(command: AskCommand, classifier: LoadedClassifier, signal: AbortSignal): Promise<Report> {
  display.step('starting the server and compiling the model');
  const start = performance.now();
  const server = await launchServer(command, signal);
  try {
    display.finish();
    display.note(`server process ${server.pid} listens at ${server.url}`);
    return await askAt(command, classifier, server.url, AbortSignal.any([signal, server.died]), performance.now() - start);
  } catch (error) {
    if (codeOf(error) === 'SERVER_UNREACHABLE') await deathNotice(server);
    throw error;
  } finally {
    await server.stop();
  }
}

/** @throws the reason, if the server has died or is about to. */
async function deathNotice({ died }: ServerProcess): Promise<void> {
  await delay(DEATH_NOTICE_MS, undefined, { signal: died }).catch(() => {});
  died.throwIfAborted();
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  display.abandon();
  process.stderr.write(`error: ${oneLine(error)}\n`);
  const code = codeOf(error);
  process.exitCode = code === 'USAGE' ? EXIT_USAGE : code === 'INTERRUPTED' ? signalCode : 1;
}
