import { DemoError } from '../errors.js';
import type { EngineName } from '../protocol/engine.js';
import { DEFAULT_MODEL, engineOption, integerOption, parseOptions, threadsOption } from './options.js';

export interface ServerArguments {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly model: string;
  readonly engine: EngineName | undefined;
  readonly threads: number | undefined;
  readonly maxSessions: number;
  readonly sessionMinutes: number;
}

export const DEFAULT_PORT = 7700;

/** @throws DemoError USAGE. */
export function parseServerArguments(argv: readonly string[]): ServerArguments {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseOptions(argv, {
    host: text,
    port: text,
    model: text,
    engine: text,
    threads: text,
    'max-sessions': text,
    'session-minutes': text,
  });
  if (positionals.length > 0) throw new DemoError('USAGE', `the server takes no argument '${positionals[0]}': see --help`);
  return {
    host: values.host ?? '127.0.0.1',
    port: integerOption('port', values.port, DEFAULT_PORT, 0, 65535),
    model: values.model ?? DEFAULT_MODEL,
    engine: engineOption(values.engine),
    threads: threadsOption(values.threads),
    maxSessions: integerOption('max-sessions', values['max-sessions'], 4, 1, 1000),
    sessionMinutes: integerOption('session-minutes', values['session-minutes'], 15, 1, 24 * 60),
  };
}
