import { openModel } from '../hub/model_files.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import { PRETRAINED_NAMES } from '../pretrained/registry.js';
import { parseArguments } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';

export const list: Command = {
  help: `Usage: he-models list [--json]

Lists the models that are part of this package.

${COMMON_HELP}`,
  run: async ({ args, print }) => {
    const { values } = parseArguments(args, COMMON_OPTIONS);
    const models = await Promise.all(
      PRETRAINED_NAMES.map(async (name) => {
        const { config } = await openModel(name, CLIENT_BUNDLES);
        return { name, task: config.task ?? 'text-classification', labels: config.labels.length };
      }),
    );
    if (values.json === true) return print(JSON.stringify(models));
    for (const { name, task, labels } of models)
      print(`${name.padEnd(18)} ${task}, ${labels} ${task === 'text-generation' ? 'tokens' : 'labels'}`);
  },
};
