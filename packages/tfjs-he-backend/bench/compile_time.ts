import '@tensorflow/tfjs-backend-cpu';
import { parseArgs } from 'node:util';
import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import { compileGraph, type Program, traceFunction } from 'tfjs-he-backend';
import { BERT_TINY, CASES, TWO_LAYER_ENCODER, traceable } from './cases.ts';

export const COMPILE_HELP = `compile: seconds to trace and compile each case, and two encoders of two layers; CPU time beside wall time. Fails
when one takes more than 20 s of it.

  --case TEXT      only cases whose name contains TEXT`;

const MOST_SECONDS = 20;

/** Wall and CPU seconds; the latter is what counts on a machine that is shared. */
export async function compileTime(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { case: { type: 'string', default: '' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    console.log(COMPILE_HELP);
    return;
  }
  enableProdMode();
  await setBackend('cpu');
  for (const benchCase of [...CASES, TWO_LAYER_ENCODER, BERT_TINY]) {
    if (!benchCase.name.includes(values.case)) continue;
    const start = performance.now();
    const cpu = process.cpuUsage();
    const program: Program = compileGraph(await traceFunction(traceable(benchCase), [{ name: 'x', shape: benchCase.inputShape }]));
    const { user, system } = process.cpuUsage(cpu);
    if ((user + system) / 1e6 > MOST_SECONDS) process.exitCode = 1;
    const seconds = `${((performance.now() - start) / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} s of CPU`;
    console.log(`${benchCase.name.padEnd(36)} ${seconds}, ring degree ${program.parameters.polyModulusDegree}`);
  }
}
