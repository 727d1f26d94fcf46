import { requireFolder } from '../cli/out_folder.js';
import { UsageError } from '../errors.js';
import { percent } from './card.js';
import { type FineTuningSummary, fineTune } from './fine_tune/fine_tune.js';
import { parseTrainOptions, TRAIN_HELP, type TrainOptions } from './options.js';
import { PATCH_TASKS } from './patches/patch_tasks.js';
import { runPatchTraining } from './patches/run_patches.js';
import { prepareBanking77 } from './prepare.js';
import type { Progress } from './progress.js';
import { BANKING77_RECIPE } from './recipe.js';
import { runTraining, type TrainingSummary } from './run.js';
import { runSst2Training } from './sst2/run_sst2.js';
import { SST2_RECIPE } from './sst2/sst2_recipe.js';
import { runStoryTraining, type StorySummary } from './stories/run_stories.js';
import { STORIES_RECIPE } from './stories/story_recipe.js';
import { parseTableOptions, type TableOptions, type TableSummary, trainTable } from './train_table.js';
import { startWasm } from './wasm.js';

/** The training command. */
export async function train(
  args: readonly string[],
  packageRoot: string,
  cwd: string,
  print: (line: string) => void,
  progress: Progress,
): Promise<void> {
  const ofTable = args.some((argument) => argument === '--task' || argument.startsWith('--task='));
  const options = ofTable && !args.includes('--help') ? parseTableOptions(args, cwd) : parseTrainOptions(args, packageRoot, cwd);
  if (options === undefined) return print(TRAIN_HELP);
  const summary = await ('file' in options ? trainOnTable(options, progress) : trainDataset(options, progress));
  progress.clear();
  if (options.json) return print(JSON.stringify(summary));
  if ('loss' in summary) {
    for (const [form, loss] of Object.entries(summary.loss)) print(`${form.padEnd(13)} ${loss.toFixed(4)} nats a token`);
    return print(`model written to ${summary.out}`);
  }
  const macroF1 = 'classes' in summary ? summary.classes?.macroF1 : undefined;
  for (const [form, share] of Object.entries(summary.accuracy)) {
    const f1 = macroF1 === undefined ? undefined : Object.entries(macroF1).find(([of]) => of === form)?.[1];
    print(`${form.padEnd(13)} ${percent(share)}${f1 === undefined ? '' : `  macro-F1 ${percent(f1)}`}`);
  }
  if ('classes' in summary && summary.classes !== undefined) {
    const { label, share } = summary.classes.mostFrequent;
    print(`always "${label}" would be right for ${percent(share)}`);
    for (const { label: name, questions, f1 } of summary.classes.perLabel.slice(0, 30)) {
      print(`  ${name}: F1 ${f1 === null ? 'unknown' : percent(f1)} on ${questions} rows`);
    }
  }
  if (summary.out !== undefined) print(`model written to ${summary.out}`);
}

function trainOnTable({ from, ...options }: TableOptions, progress: Progress): Promise<TableSummary | FineTuningSummary> {
  return from === undefined ? trainTable({ from, ...options }, progress) : fineTune({ from, ...options }, progress);
}

async function trainDataset(options: TrainOptions, progress: Progress): Promise<TrainingSummary | StorySummary> {
  if (options.variant === 'both') await requireFolder(options.out);
  const task = PATCH_TASKS[options.dataset];
  const tried = Object.keys(task?.tried ?? {});
  if (options.recipe !== undefined && !tried.includes(options.recipe)) {
    const known =
      tried.length === 0 ? 'leave out --recipe, for its own' : `choose one of ${tried.join(', ')}, or leave out --recipe for its own`;
    throw new UsageError(`There is no recipe ${options.recipe} of ${options.dataset}: ${known}.`, { recipe: options.recipe });
  }
  await startWasm();
  const changes = {
    ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
  if (options.dataset === 'stories260k') return runStoryTraining(options, { ...STORIES_RECIPE, ...changes }, progress);
  if (task !== undefined) {
    const recipe = task.tried?.[options.recipe ?? ''] ?? task.recipe;
    return runPatchTraining(task, { ...recipe, ...changes }, options, progress);
  }
  if (options.dataset === 'sst2') return runSst2Training(options, { ...SST2_RECIPE, ...changes }, progress);
  const recipe = { ...BANKING77_RECIPE, ...changes };
  const data = await prepareBanking77(options.data, options.vocabulary, recipe);
  progress.log(`${data.train.count} training and ${data.dev.count} development questions, ${data.vocabularySize} tokens`);
  return runTraining(options, recipe, data, progress);
}
