import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach } from '@jest/globals';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface RunningCli {
  readonly process: ChildProcess;
  /** Resolves when stderr has a match. @throws when the command ends without one. */
  seen(pattern: RegExp): Promise<RegExpMatchArray>;
  readonly finished: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

const started = new Set<ChildProcess>();

// A test that fails half-way must not leave a server behind, which would keep jest waiting.
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
});

/** The real command, as a process that does not outlive the test. */
export function startCli(...args: string[]): RunningCli {
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  started.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const seen = async (pattern: RegExp): Promise<RegExpMatchArray> => {
    for (;;) {
      const match = stderr.match(pattern);
      if (match !== null) return match;
      if (child.exitCode !== null) throw new Error(`no ${pattern} in: ${stderr}`);
      await Promise.race([once(child.stderr, 'data'), once(child, 'exit')]);
    }
  };
  return { process: child, seen, finished };
}

export function runCli(...args: string[]): RunningCli['finished'] {
  return startCli(...args).finished;
}

/** Whether a process with this identifier exists. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
