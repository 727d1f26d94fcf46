/** `npm run bench -w he-models -- [latency | growth | approximations] [options]` */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APPROXIMATIONS_HELP, approximations } from './approximations.js';
import { GROWTH_HELP, growth } from './growth.js';
import { LATENCY_HELP, latency } from './latency.js';

const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const BENCHES: Readonly<Record<string, (args: string[]) => Promise<void>>> = {
  latency,
  growth,
  approximations: (args) => approximations(args, packageRoot),
};

const [first, ...rest] = process.argv.slice(2);
const named = first !== undefined && !first.startsWith('-');
const bench = named ? BENCHES[first] : latency;
if (bench === undefined || first === '--help') console.log([LATENCY_HELP, GROWTH_HELP, APPROXIMATIONS_HELP].join('\n\n'));
else await bench(named ? rest : process.argv.slice(2));
