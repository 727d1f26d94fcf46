import { CALIBRATE_HELP, calibrate } from './calibrate.ts';
import { COMPILE_HELP, compileTime } from './compile_time.ts';
import { COUNTS_HELP, counts } from './counts.ts';
import { ENGINES_HELP, engines } from './engines.ts';
import { FUZZ_HELP, fuzz } from './fuzz.ts';
import { MEMORY_HELP, memory } from './memory.ts';
import { WORKERS_HELP, workers } from './workers.ts';

const BENCHMARKS: Readonly<Record<string, { readonly run: (args: string[]) => Promise<void>; readonly help: string }>> = {
  counts: { run: counts, help: COUNTS_HELP },
  compile: { run: compileTime, help: COMPILE_HELP },
  calibrate: { run: calibrate, help: CALIBRATE_HELP },
  engines: { run: engines, help: ENGINES_HELP },
  fuzz: { run: fuzz, help: FUZZ_HELP },
  memory: { run: memory, help: MEMORY_HELP },
  workers: { run: workers, help: WORKERS_HELP },
};

const [name = '--help', ...args] = process.argv.slice(2);
const benchmark = BENCHMARKS[name];

try {
  if (benchmark !== undefined) await benchmark.run(args);
  else {
    const help = Object.values(BENCHMARKS).map((entry) => entry.help);
    console.log(['usage: npm run bench -w tfjs-he-backend -- <name> [options]', ...help].join('\n\n'));
    if (name !== '--help') {
      console.error(`unknown benchmark '${name}'`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
