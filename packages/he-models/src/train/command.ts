import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeModelsError } from '../errors.js';

/** What a command works with. */
export interface CommandContext {
  readonly args: readonly string[];
  /** Folder of this package. */
  readonly packageRoot: string;
  /** Where the user stands: npm runs a workspace's scripts elsewhere, but says where it was started. */
  readonly cwd: string;
  /** One line to standard output. */
  readonly print: (line: string) => void;
}

/** Runs a command; an expected failure becomes one line on standard error and exit code 1. */
export async function runCommand(body: (context: CommandContext) => Promise<void>): Promise<void> {
  const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const cwd = process.env.INIT_CWD ?? process.cwd();
  try {
    await body({ args: process.argv.slice(2), packageRoot, cwd, print: (line) => process.stdout.write(`${line}\n`) });
  } catch (error) {
    if (!(error instanceof HeModelsError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
