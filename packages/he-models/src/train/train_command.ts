import { signalOfInterrupt } from '../cli/interrupt.js';
import { runCommand } from './command.js';
import { progressBar } from './progress.js';
import { train } from './train.js';

await runCommand(({ args, packageRoot, cwd, print }) =>
  train(args, packageRoot, cwd, print, { ...progressBar(process.stderr), signal: signalOfInterrupt() }),
);
