#!/usr/bin/env node
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { progressBar } from '../train/progress.js';
import type { Command } from './command.js';
import { signalOfInterrupt } from './interrupt.js';
import { tellFailure } from './tell_failure.js';

/** Loaded on demand: help must not wait for tfjs. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  list: async () => (await import('./list.js')).list,
  info: async () => (await import('./info.js')).info,
  run: async () => (await import('./run.js')).run,
  train: async () => (await import('./train.js')).train,
  evaluate: async () => (await import('./evaluate.js')).evaluate,
  convert: async () => (await import('./convert.js')).convert,
  export: async () => (await import('./export.js')).exportModel,
};

const HELP = `Usage: he-models COMMAND [options]

  list       the models of this package
  info       what a model is, without running it
  run        classify a text, a signal or an image, or continue a text, encrypted
  train      train a classifier of your own texts, or a model of this package anew
  evaluate   compare a model's encrypted runs with its polynomial in the clear
  convert    import a checkpoint, swap its softmax, or turn a trained model into a polynomial
  export     write a model's files, or its compiled program, to a folder

he-models COMMAND --help tells more. All take --json.`;

const USAGE = 2;

const progress = progressBar(process.stderr);
// Whoever reads has seen enough, as `head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});
const signal = signalOfInterrupt();

/** @returns exit code */
async function main([name, ...args]: readonly string[]): Promise<number> {
  const print = (line: string): boolean => process.stdout.write(`${line}\n`);
  if (name === undefined || name === '--help' || name === '-h') {
    print(HELP);
    return name === undefined ? USAGE : 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    process.stderr.write(`error: There is no command ${name}: choose one of ${Object.keys(COMMANDS).join(', ')}.\n`);
    return USAGE;
  }
  const command = await load();
  if (args.includes('--help') || args.includes('-h')) print(command.help);
  else {
    const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
    await command.run({ args, packageRoot, cwd: process.cwd(), print, progress, signal });
  }
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = tellFailure(error, (line) => {
    progress.clear();
    process.stderr.write(line);
  });
}
