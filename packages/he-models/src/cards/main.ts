/** `npm run figures -w he-models -- [options]` */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { choiceOption, integerOption, parseArguments } from '../cli/arguments.js';
import { DataError, UsageError } from '../errors.js';
import { PRETRAINED_NAMES, type PretrainedName } from '../pretrained/registry.js';
import { runCommand } from '../train/command.js';
import { startWasm } from '../train/wasm.js';
import { writeTogether } from '../write_together.js';
import { CARD_FILE } from './card_files.js';
import { refreshesOf } from './encrypted_section.js';
import { withLatencyTable } from './latency_table.js';
import { plannedFiles, readShipped, shippedCard } from './shipped_cards.js';
import { countsOf, simulatedPlan } from './simulated_run.js';

const HELP = `Usage: npm run figures -w he-models -- [options]

Brings the cards of this package's models and the table of its README up to date: compiles each model, and with --data measures it encrypted on development examples
first, by he-models evaluate. Figures are kept in models/NAME/encrypted.json. A machine that does nothing else takes about 25 minutes for --fhe execute.

  --data DIR    folder above the data sets (default: nothing is measured)
  --fhe MODE    execute (default: 100 inputs a model) or simulate (the whole development part)
  --limit N     inputs a model instead (of the language model, texts of 32 tokens)
  --model NAME  only this one
  --check       write nothing; fail where a card, the table or a plan is not what it would be
  --help        show this`;

/** Inputs that are measured encrypted; of the language model, texts that are read and tokens that are written. */
const INPUTS = 100;
const PROMPT = ['--prompt', 'Once upon a time'];
const STORIES = {
  name: 'power-stories-260k',
  texts: 2,
  more: [...PROMPT, '--new-tokens', '40'],
  comparison: [...PROMPT, '--new-tokens', '3', '--compare-cache'],
};

await runCommand(async ({ args, packageRoot, cwd, print }) => {
  const { values, positionals } = parseArguments(args, {
    data: { type: 'string' },
    fhe: { type: 'string', default: 'execute' },
    limit: { type: 'string' },
    model: { type: 'string' },
    check: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help === true) return print(HELP);
  if (positionals.length > 0) throw new UsageError(`There is no ${positionals.join(' ')}. See --help.`, {});
  const fhe = choiceOption('fhe', values.fhe, ['execute', 'simulate']);
  const limit = integerOption('limit', values.limit, 1);
  const models = values.model === undefined ? PRETRAINED_NAMES : [choiceOption('model', values.model, PRETRAINED_NAMES)];
  const folderOf = (name: PretrainedName): string => join(packageRoot, 'models', name);
  const outdated: string[] = [];
  await startWasm();
  for (const name of models) {
    const measures = typeof values.data === 'string' && values.check !== true;
    if (measures) {
      await measure(packageRoot, [
        folderOf(name),
        '--data',
        resolve(cwd, String(values.data)),
        '--fhe',
        fhe,
        ...amountOf(name, fhe, limit),
      ]);
      if (name === STORIES.name && fhe === 'execute') await measure(packageRoot, [folderOf(name), '--fhe', fhe, ...STORIES.comparison]);
    }
    const shipped = await readShipped(folderOf(name));
    const plan = (measures ? shipped.figures?.plan : undefined) ?? (await simulatedPlan(folderOf(name)));
    if (values.check !== true) await writeTogether(folderOf(name), plannedFiles(name, shipped, plan));
    else {
      const same = shipped.figures !== undefined && isDeepStrictEqual(countsOf(shipped.figures.plan), countsOf(plan));
      if (!same) outdated.push(`${name} compiles otherwise than its card says`);
      if (shippedCard(name, shipped) !== (await readFile(join(folderOf(name), CARD_FILE), 'utf8')))
        outdated.push(`the card of ${name} is older than its figures`);
    }
    print(`${name}: ${plan.depth} levels, ${refreshesOf(plan)}, ${plan.keySwitches} key switches`);
  }
  const readme = await readFile(join(packageRoot, CARD_FILE), 'utf8');
  const updated = withLatencyTable(readme, await Promise.all(PRETRAINED_NAMES.map((name) => readShipped(folderOf(name)))));
  if (values.check !== true) return writeTogether(packageRoot, { [CARD_FILE]: updated });
  if (updated !== readme) outdated.push('the table of the README is older than the figures');
  if (outdated.length > 0) throw new DataError(`${outdated.join('; ')}: run npm run figures.`, { outdated });
});

function amountOf(name: PretrainedName, fhe: 'execute' | 'simulate', limit: number | undefined): readonly string[] {
  const generates = name === STORIES.name;
  const inputs = limit ?? (generates ? STORIES.texts : fhe === 'execute' ? INPUTS : undefined);
  const seed = fhe === 'simulate' ? ['--seed', '1'] : [];
  return [...(inputs === undefined ? [] : ['--limit', String(inputs)]), ...seed, ...(generates ? STORIES.more : [])];
}

/** Runs `he-models evaluate --card` in a process of its own, whose memory no model before it has used. @throws DataError if it fails */
async function measure(packageRoot: string, args: readonly string[]): Promise<void> {
  const command = [join(packageRoot, 'dist', 'cli', 'main.js'), 'evaluate', ...args, '--card'];
  const child = spawn(process.execPath, ['--no-warnings', ...command], { stdio: 'inherit' });
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0) throw new DataError(`he-models evaluate ${args.join(' ')} ended with code ${code}.`, {});
}
