import { percent } from './card.js';
import { runCommand } from './command.js';
import { runEvaluation } from './evaluate.js';
import { EVALUATE_HELP, parseEvaluateOptions } from './options.js';
import { PATCH_TASKS } from './patches/patch_tasks.js';
import { runPatchEvaluation } from './patches/run_patches.js';
import { startWasm } from './wasm.js';

await runCommand(async ({ args, packageRoot, cwd, print }) => {
  const options = parseEvaluateOptions(args, packageRoot, cwd);
  if (options === undefined) return print(EVALUATE_HELP);
  await startWasm();
  const task = PATCH_TASKS[options.dataset];
  const summary = await (task === undefined ? runEvaluation(options) : runPatchEvaluation(task, options));
  if (options.json) return print(JSON.stringify(summary));
  print(`${summary.questions} development examples`);
  for (const [form, share] of Object.entries(summary.accuracy)) print(`${form.padEnd(13)} ${percent(share)}`);
  if (summary.missing.length > 0)
    print(`no checkpoint of ${summary.missing.join(' and ')} in ${options.checkpoints}: run the training command for these figures`);
});
