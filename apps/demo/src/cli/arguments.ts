import { DemoError } from '../errors.js';
import type { EngineName } from '../protocol/engine.js';
import { DEFAULT_MODEL, engineOption, integerOption, parseOptions, threadsOption } from './options.js';

export interface AskCommand {
  readonly kind: 'ask';
  readonly question: string;
  /** A server that runs already; without it one is started on `port`. */
  readonly url: URL | undefined;
  /** 0 takes a free one. */
  readonly port: number;
  readonly model: string;
  /** That the server must run; undefined: its own choice among those that encrypt. */
  readonly engine: EngineName | undefined;
  /** Of the server that is started. */
  readonly threads: number | undefined;
  readonly json: boolean;
  readonly repeat: number;
  readonly timeoutSeconds: number;
  readonly verbose: boolean;
}

export type Command = AskCommand | { readonly kind: 'server'; readonly argv: readonly string[] } | { readonly kind: 'help' };

const flag = { type: 'boolean' } as const;
const text = { type: 'string' } as const;

/** @throws DemoError USAGE. */
export function parseCommand(argv: readonly string[]): Command {
  const [first, ...rest] = argv;
  if (argv.includes('--help') || argv.includes('-h')) return { kind: 'help' };
  if (first === 'server') return { kind: 'server', argv: rest };
  return parseAsk(first === 'ask' ? rest : argv);
}

function parseAsk(argv: readonly string[]): AskCommand {
  const { values, positionals } = parseOptions(argv, {
    url: text,
    port: text,
    model: text,
    engine: text,
    threads: text,
    json: flag,
    repeat: text,
    timeout: text,
    verbose: flag,
  });
  if (positionals.length === 0)
    throw new DemoError('USAGE', 'no question given: write it in quotes, e.g. npm start -- "Where is my card?"');
  if (values.url !== undefined && values.port !== undefined)
    throw new DemoError('USAGE', '--port is for a server to start, --url for one that runs: give one');
  if (values.url !== undefined && values.threads !== undefined)
    throw new DemoError('USAGE', '--threads is for a server to start, --url for one that runs: give one');
  return {
    kind: 'ask',
    question: positionals.join(' '),
    url: values.url === undefined ? undefined : urlOption(values.url),
    port: integerOption('port', values.port, 0, 0, 65535),
    model: values.model ?? DEFAULT_MODEL,
    engine: engineOption(values.engine),
    threads: threadsOption(values.threads),
    json: values.json === true,
    repeat: integerOption('repeat', values.repeat, 1, 1, 1000),
    timeoutSeconds: integerOption('timeout', values.timeout, 600, 1, 86_400),
    verbose: values.verbose === true,
  };
}

function urlOption(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new DemoError('USAGE', `--url is '${value}': give an address such as http://127.0.0.1:7700`);
}
