import { parseArgs } from 'node:util';
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { profileTable } from 'tfjs-he-backend';
import type { ProgressEvent } from 'tfjs-he-backend/server';
import { runEncrypted } from './encrypted_run.ts';
import { EXAMPLES, findExample } from './examples.ts';
import { reportJson, reportText } from './report.ts';

const LIST = EXAMPLES.map(({ name, shows }) => `  ${name.padEnd(22)}${shows}`).join('\n');

const HELP = `usage: npm run example -- NAME [options]

Trains a model with TensorFlow.js, compiles it, and asks it about encrypted examples.

${LIST}

  --engine NAME    seal (ciphertexts, the default) or mock (plain numbers with their noise: fast, not secret)
  --questions N    encrypted examples to ask about, from 1 to 100; default 3
  --json           print one JSON object on stdout; progress goes to stderr in any case
  --list           print the names alone
  --help           print this`;

try {
  await main();
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof Error && 'code' in error && /EXAMPLE_UNKNOWN|ERR_PARSE_ARGS|USAGE/.test(String(error.code)) ? 2 : 1;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      engine: { type: 'string', default: 'seal' },
      questions: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [name, ...others] = positionals;
  if (values.help) return console.log(HELP);
  if (values.list) return console.log(EXAMPLES.map((example) => example.name).join('\n'));
  if (name === undefined || others.length > 0) throw usage(`give the name of one example\n\n${HELP}`);
  const { engine } = values;
  if (engine !== 'seal' && engine !== 'mock') throw usage(`--engine is '${engine}': choose seal or mock`);
  const questions = Number(values.questions);
  if (!(Number.isInteger(questions) && questions >= 1 && questions <= 100)) {
    throw usage(`--questions is '${values.questions}': give an integer from 1 to 100`);
  }
  const example = findExample(name);

  tf.env().set('PROD', true); // no advice on the terminal to install another backend
  await tf.setBackend('cpu');
  const say = (line: string): void => console.error(line);
  say(`training ${example.name}: ${example.shows}`);
  const trained = await example.train(say);
  const report = await runEncrypted(example, trained, {
    engine,
    questions,
    onProfile: (profile) => say(`\ncompiled\n${profileTable(profile)}\n`),
    onProgress: progressTo(say),
  });
  console.log(values.json ? reportJson(report) : reportText(report));
}

function usage(message: string): Error {
  return Object.assign(new Error(message), { code: 'USAGE' });
}

/** A line for every layer, and one per refresh. */
function progressTo(say: (line: string) => void): (event: ProgressEvent) => void {
  return (event) => {
    const part = `part ${event.segment + 1} of ${event.segments}`;
    if (event.type === 'layer')
      say(`  layer ${event.name}, ${part}, from level ${event.level}, ${Math.round(100 * event.fraction)} % done`);
    if (event.type !== 'refresh') return;
    const ciphertexts = event.ciphertexts === 1 ? '1 masked ciphertext' : `${event.ciphertexts} masked ciphertexts`;
    say(`  refresh after ${part}: ${ciphertexts}, encrypted afresh by the client`);
  };
}
