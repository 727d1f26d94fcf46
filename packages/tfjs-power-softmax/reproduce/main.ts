import { readCorpus } from './corpus.ts';
import { tasksOf } from './experiments/all.ts';
import { HELP, type Options, parseOptions, UsageError } from './options.ts';
import { FULL, QUICK } from './plan.ts';
import { type Archive, archiveOf } from './report/archive.ts';
import { readArchive, sectionsOf, writeReport } from './report/write.ts';
import { planOf, reproduce } from './reproduce.ts';

/** Exit status of a shell for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

async function main(): Promise<number> {
  // npm runs scripts in the package's folder; paths are relative to where it was called.
  const options = parseOptions(process.argv.slice(2), process.env.INIT_CWD ?? process.cwd());
  if (options === undefined) {
    console.log(HELP);
    return 0;
  }
  const { data } = options;
  if (data === undefined) return report(options, readArchive(options.out));
  const corpus = readCorpus(data);
  const plan = planOf(options.quick ? QUICK : FULL, options.seeds, corpus);
  if (options.reportOnly) return report(options, archiveOf(plan, tasksOf(plan), options.work, options.jobs));
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  const archive = await reproduce(plan, { ...options, data, signal: stop.signal, terminal: process.stderr });
  if (!stop.signal.aborted) return report(options, archive);
  console.error('\nstopped; the same command goes on where it was');
  return INTERRUPTED;
}

function report(options: Options, archive: Archive): number {
  const sections = sectionsOf(archive);
  writeReport(archive, sections, options.out);
  announce(options, sections);
  return 0;
}

function announce({ out, json }: Options, sections: ReturnType<typeof sectionsOf>): void {
  console.error(`wrote ${out}/README.md`);
  if (json)
    console.log(
      JSON.stringify(
        sections.map(({ id, title, setting, tables }) => ({ id, title, setting, tables })),
        null,
        2,
      ),
    );
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  console.error(error instanceof UsageError ? `${error.message}\n\n${HELP}` : error.message);
  process.exitCode = 1;
}
