import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tellFailure } from '../cli/tell_failure.js';

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

/** Runs a command; an expected failure becomes one line on standard error and an exit code, as of the command `he-models`. */
export async function runCommand(body: (context: CommandContext) => Promise<void>): Promise<void> {
  const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const cwd = process.env.INIT_CWD ?? process.cwd();
  try {
    await body({ args: process.argv.slice(2), packageRoot, cwd, print: (line) => process.stdout.write(`${line}\n`) });
  } catch (error) {
    process.exitCode = tellFailure(error, (line) => process.stderr.write(line));
  }
}
