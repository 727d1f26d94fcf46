import { percent } from './card.js';
import { runCommand } from './command.js';
import { parseTrainOptions, TRAIN_HELP } from './options.js';
import { prepareBanking77 } from './prepare.js';
import { progressBar } from './progress.js';
import { BANKING77_RECIPE } from './recipe.js';
import { runTraining } from './run.js';
import { startWasm } from './wasm.js';

await runCommand(async ({ args, packageRoot, cwd, print }) => {
  const options = parseTrainOptions(args, packageRoot, cwd);
  if (options === undefined) return print(TRAIN_HELP);
  const recipe = {
    ...BANKING77_RECIPE,
    ...(options.epochs === undefined ? {} : { epochs: options.epochs }),
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  };
  const progress = progressBar(process.stderr);
  await startWasm();
  const data = await prepareBanking77(options.data, options.vocabulary, recipe);
  progress.log(`${data.train.count} training and ${data.dev.count} development questions, ${data.vocabularySize} tokens`);
  const summary = await runTraining(options, recipe, data, progress);
  if (options.json) return print(JSON.stringify(summary));
  for (const [form, share] of Object.entries(summary.accuracy)) print(`${form.padEnd(13)} ${percent(share)}`);
  if (summary.out !== undefined) print(`model written to ${summary.out}`);
});
