import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { EXPERIMENTS } from '../experiments/all.ts';
import type { Section } from '../experiments/experiment.ts';
import { type Archive, resultsOf } from './archive.ts';
import { figure, markdownTable } from './table.ts';

const ARCHIVE = 'results.json';
const COMMAND = 'npm run reproduce -w tfjs-power-softmax -- --data DIR';

/** A section with the names of its experiment. */
export interface NamedSection extends Section {
  readonly id: string;
  readonly title: string;
}

export function sectionsOf(archive: Archive): NamedSection[] {
  const results = resultsOf(archive);
  return EXPERIMENTS.map(({ id, title, section }) => ({ id, title, ...section(archive.plan, results) }));
}

/** @throws Error where the folder has none */
export function readArchive(folder: string): Archive {
  const file = path.join(folder, ARCHIVE);
  if (!existsSync(file)) throw new Error(`${file} does not exist: run the command with --data first`);
  // Written by writeReport.
  return JSON.parse(readFileSync(file, 'utf8')) as Archive;
}

/**
 * Writes `README.md`, the plots and `results.json`. What people have to say about an experiment is in `notes/<id>.md`, which the command only
 * reads: it becomes the end of that experiment's section, and `notes/summary.md` the beginning of the page.
 */
export function writeReport(archive: Archive, sections: readonly NamedSection[], folder: string): void {
  mkdirSync(folder, { recursive: true });
  for (const { name, svg } of sections.flatMap(({ plots }) => plots)) writeFileSync(path.join(folder, `${name}.svg`), svg);
  writeFileSync(path.join(folder, ARCHIVE), `${JSON.stringify(archive)}\n`);
  writeFileSync(
    path.join(folder, 'README.md'),
    page(archive, sections, (id) => note(folder, id)),
  );
}

function note(folder: string, id: string): string[] {
  const file = path.join(folder, 'notes', `${id}.md`);
  return existsSync(file) ? [readFileSync(file, 'utf8').trim()] : [];
}

function page(archive: Archive, sections: readonly NamedSection[], noteOf: (id: string) => string[]): string {
  const { plan, machine, seconds, jobs, runs, results } = archive;
  const done = Object.keys(results).length;
  const about = [
    `Written by \`${COMMAND}\` (tables, plots) and by people (\`notes/\`). ${done} of ${runs} runs are done${done < runs ? '; the command goes on where it stopped, and tables say how many seeds each row has' : ''}.`,
    `Text: tinyshakespeare by characters, the first 90 % for training, the rest for validation (SHA-256 ${plan.text.slice(0, 12)}). Counting single characters gives ${figure(plan.baselines.unigram)} nats per character on validation text, counting pairs ${figure(plan.baselines.bigram)}.`,
    `The runs took ${(seconds / 60).toFixed(0)} minutes of one process each, ${(seconds / 60 / jobs).toFixed(0)} minutes with ${jobs} at once, on ${machine.processor}, ${machine.cores} cores, Node ${machine.node}, TensorFlow.js on WASM.`,
  ];
  const parts = sections.map(({ id, title, setting, tables, plots }) =>
    [
      `## ${title}`,
      `**Setting.** ${setting}`,
      ...tables.map(markdownTable),
      ...plots.map(({ name, alternative }) => `![${alternative}](${name}.svg)`),
      ...noteOf(id),
    ].join('\n\n'),
  );
  return `${["# The paper's claims at small scale", ...noteOf('summary'), ...about, ...parts].join('\n\n')}\n`;
}
