import type { Progress } from '../train/progress.js';

/** What a command of the command line works with. */
export interface CommandContext {
  /** After the command's name. */
  readonly args: readonly string[];
  /** Folder of this package. */
  readonly packageRoot: string;
  /** Where the user stands. */
  readonly cwd: string;
  /** One line to standard output. */
  readonly print: (line: string) => void;
  /** Bars and notes on standard error. */
  readonly progress: Progress;
  /** Ends what runs, on Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface Command {
  readonly help: string;
  /** @throws UsageError, and what the command's work throws */
  readonly run: (context: CommandContext) => Promise<void>;
}

/** Options that all commands share. */
export const COMMON_OPTIONS = { json: { type: 'boolean', default: false } } as const;

export const COMMON_HELP = `  --json             print one JSON object
  --help             show this`;
