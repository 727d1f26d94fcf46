import { type ParseArgsConfig, parseArgs } from 'node:util';
import { codeOf, DemoError, oneLine } from '../errors.js';
import { ENGINES, type EngineName } from '../protocol/engine.js';

export const DEFAULT_MODEL = 'power-banking77';

type Options = NonNullable<ParseArgsConfig['options']>;

/** `parseArgs` of Node, its complaints as one-line usage errors. @throws DemoError USAGE. */
export function parseOptions<T extends Options>(argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true, strict: true });
  } catch (error) {
    if (codeOf(error)?.startsWith('ERR_PARSE_ARGS') !== true) throw error;
    const [sentence = ''] = oneLine(error).split('. ');
    throw new DemoError('USAGE', `${sentence.replace(/\.$/, '')}: see --help`);
  }
}

/** Threads of a server's engine; undefined if not given. @throws DemoError USAGE. */
export function threadsOption(text: string | undefined): number | undefined {
  return text === undefined ? undefined : integerOption('threads', text, 1, 1, 64);
}

/** @throws DemoError USAGE. */
export function integerOption(name: string, text: string | undefined, fallback: number, low: number, high: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= low && value <= high) return value;
  throw new DemoError('USAGE', `--${name} is '${text}': give an integer from ${low} to ${high}`);
}

/** undefined if not given: the server's own choice. @throws DemoError USAGE. */
export function engineOption(text: string | undefined): EngineName | undefined {
  const engine = ENGINES.find((name) => name === text);
  if (engine !== undefined || text === undefined) return engine;
  throw new DemoError('USAGE', `unknown engine '${text}': choose one of ${ENGINES.join(', ')}`);
}
