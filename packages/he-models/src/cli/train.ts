import { TRAIN_HELP } from '../train/options.js';
import { train as trainModel } from '../train/train.js';
import type { Command } from './command.js';

export const train: Command = {
  help: TRAIN_HELP,
  run: ({ args, packageRoot, cwd, print, progress, signal }) => trainModel(args, packageRoot, cwd, print, { ...progress, signal }),
};
