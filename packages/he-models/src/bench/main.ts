/** `npm run bench -w he-models -- [latency | growth | approximations] [options]` */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tellFailure } from '../cli/tell_failure.js';
import { UsageError } from '../errors.js';
import { APPROXIMATIONS_HELP, approximations } from './approximations.js';
import { GROWTH_HELP, growth } from './growth.js';
import { LATENCY_HELP, latency } from './latency.js';

const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const BENCHES: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = {
  latency,
  growth,
  approximations: (args) => approximations(args, packageRoot),
};

const [first, ...rest] = process.argv.slice(2);
const named = first !== undefined && !first.startsWith('-');
const bench = named && Object.hasOwn(BENCHES, first) ? BENCHES[first] : undefined;

try {
  if (first === '--help') console.log([LATENCY_HELP, GROWTH_HELP, APPROXIMATIONS_HELP].join('\n\n'));
  else if (bench !== undefined) await bench(rest);
  else if (named) throw new UsageError(`There is no bench ${first}: choose one of ${Object.keys(BENCHES).join(', ')}.`, { first });
  else await latency(process.argv.slice(2));
} catch (error) {
  process.exitCode = tellFailure(error, (line) => process.stderr.write(line));
}
