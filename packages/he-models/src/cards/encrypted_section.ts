import type { PlanFigures } from '../use/plan_figures.js';
import type { CacheComparison, EncryptedFigures, Machine, MeasuredRun } from './encrypted_figures.js';

/** What a card says of encrypted runs, in Markdown from its heading on; every figure comes from the arguments. */
export function encryptedSection({ plan, simulate, execute, cache }: EncryptedFigures): string {
  const runs = [simulate, execute].filter((run) => run !== undefined);
  const paragraphs = [
    '## Encrypted',
    planText(plan),
    ...(execute === undefined
      ? [`Predicted for a warm run on one thread of a 2-vCPU Xeon, with 20 ms a round of refreshes: ${seconds(plan.predictedMs)}.`]
      : []),
    ...(runs.length === 0 ? [] : [`Against the polynomial in the clear, on development examples:`, agreementTable(runs)]),
    ...runs.flatMap((run) => otherPlanText(run, plan)),
    ...runs.flatMap(continuationText),
    ...(execute === undefined ? [] : [costText(execute)]),
    layerTable(plan, execute),
    ...(cache === undefined ? [] : [cacheText(cache)]),
    ...(runs.length === 0 ? [] : ['Measured by', runs.map(({ command }) => `    ${command}`).join('\n')]),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function planText(plan: PlanFigures): string {
  const { polyModulusDegree, coeffModulusBits, totalBits, securityBits } = plan.parameters;
  const blocks = depthsOfBlocks(plan);
  const split = blocks.length < 2 ? '' : ` (${blocks.map(({ name, depth }) => `\`${name}\` ${depth}`).join(', ')})`;
  return `Compiled by \`tfjs-he-backend\` with the parameters in \`he.json\`: ring degree ${polyModulusDegree}, primes of ${coeffModulusBits.join(' + ')} = ${totalBits} bits, ${securityBits}-bit security, batch 1;
${plan.depth} levels${split}, ${refreshesOf(plan)}, ${plan.keySwitches} key switches. In the server's memory
${megabytes(plan.serverKeyBytes)} of evaluation keys and ${megabytes(plan.constantBytes)} of constants.`;
}

/** How many ciphertexts are refreshed in a run, in words. */
export function refreshesOf({ refreshes, refreshRounds }: Pick<PlanFigures, 'refreshes' | 'refreshRounds'>): string {
  if (refreshes === 0) return 'no refreshes';
  return `${refreshes} ciphertext${refreshes === 1 ? '' : 's'} refreshed in ${refreshRounds} round${refreshRounds === 1 ? '' : 's'}`;
}

/** Levels that each block adds to the longest path, in order; layers are of one block if their names agree up to the first slash. */
export function depthsOfBlocks({ layers }: PlanFigures): readonly { readonly name: string; readonly depth: number }[] {
  const ends = new Map<string, number>();
  for (const { name, depthSoFar } of layers) {
    const [block = name] = name.split('/');
    ends.set(block, Math.max(ends.get(block) ?? 0, depthSoFar));
  }
  const inOrder = [...ends].sort(([, a], [, b]) => a - b);
  return inOrder.map(([name, end], i) => ({ name, depth: end - (inOrder[i - 1]?.[1] ?? 0) }));
}

function agreementTable(runs: readonly MeasuredRun[]): string {
  const rows = runs.map((run) => {
    const [count, accuracy] =
      'inputs' in run
        ? [run.inputs, `${percent(run.accuracy)} (${percent(run.clearAccuracy)})`]
        : [run.read, run.written === 0 ? '' : `${run.sameWritten} of ${run.written}`];
    const same = `${Math.round(run.sameTop1 * count)} of ${count}`;
    return [
      `\`${run.fhe}\``,
      threadsOf(run),
      same,
      accuracy,
      run.mse.toExponential(1),
      run.maxDifference.toExponential(1),
      `${run.bits.toFixed(1)} / ${run.leastBits.toFixed(1)}`,
    ];
  });
  const generates = runs.some((run) => 'read' in run);
  return table(
    [
      '`--fhe`',
      'engine',
      'same top-1',
      generates ? 'tokens written as in the clear' : 'accuracy (of the same in the clear)',
      'mean squared difference of the logits',
      'largest',
      'bits, mean / least',
    ],
    rows,
  );
}

/** The plan that a run was measured with, where the compiler makes another one by now. */
function otherPlanText(run: MeasuredRun, plan: PlanFigures): readonly string[] {
  const same = run.refreshes === plan.refreshes && run.refreshRounds === plan.refreshRounds && run.keySwitches === plan.keySwitches;
  return same ? [] : [`With \`--fhe ${run.fhe}\` an earlier version was measured: ${refreshesOf(run)}, ${run.keySwitches} key switches.`];
}

function continuationText(run: MeasuredRun): readonly string[] {
  if ('inputs' in run || run.written === 0) return [];
  return [`With \`--fhe ${run.fhe}\`, "${run.prompt}" went on: "${run.continuation}".`];
}

function costText(run: MeasuredRun): string {
  const unit = 'inputs' in run ? 'input' : 'token';
  return `Client and server in one process, ${threadsOf(run)}, on ${machineText(run.machine)}: ${seconds(run.setupMs)} to load, compile, make keys
and encode the constants; then the first ${unit} takes ${seconds(run.coldMs)} (cold), and a warm one ${seconds(run.totalMs)} (median), ${seconds(run.evaluateMs)} of it in the server's evaluator${
    run.refreshes === 0
      ? ''
      : ` and
${seconds(run.refreshMs)} waiting for the client's refreshes`
  }. Once per client ${megabytes(run.keyBytes)} of evaluation keys are sent; per ${unit} ${megabytes(run.uploadBytes)} up and ${megabytes(run.downloadBytes)} down${run.refreshes === 0 ? '' : ',\nrefreshes included'}.`;
}

function layerTable({ layers }: PlanFigures, execute: MeasuredRun | undefined): string {
  const timeOf = (name: string, predictedMs: number): readonly string[] =>
    execute === undefined ? [milliseconds(predictedMs)] : [milliseconds(execute.coldLayersMs[name]), milliseconds(execute.layersMs[name])];
  return table(
    ['layer', 'levels', 'key switches', ...(execute === undefined ? ['predicted'] : ['cold', 'warm, median'])],
    layers.map(({ name, depth, keySwitches, predictedMs }) => [
      `\`${name}\``,
      String(depth),
      String(keySwitches),
      ...timeOf(name, predictedMs),
    ]),
  );
}

function cacheText({ cachedMs, wholeMs, whole, machine, command }: CacheComparison): string {
  return `Keys and values of past tokens stay at the server. Where every token is a run over the whole context of ${whole.tokens} tokens instead (${whole.depth} levels, ${refreshesOf(whole)}, ${megabytes(whole.constantBytes)} of constants),
a warm token takes ${seconds(wholeMs)}, ${(wholeMs / cachedMs).toFixed(1)} times the ${seconds(cachedMs)} that it takes with them, on ${machineText(machine)}:

    ${command}`;
}

function threadsOf({ engine, execution }: MeasuredRun): string {
  const { threads } = execution;
  return engine === 'mock' ? 'mock' : `${engine}, ${threads === 1 ? 'one thread' : `${threads} threads`}`;
}

function machineText({ cpu, cores, node }: Machine): string {
  return `${cores} core${cores === 1 ? '' : 's'} of ${cpu} with Node ${node.replace(/^v(\d+).*/, '$1')}`;
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 1e4 ? 2 : 0)} s`;
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? '' : `${Math.round(ms)} ms`;
}

export function megabytes(bytes: number): string {
  return bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : bytes < 1e9 ? `${Math.round(bytes / 1e6)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
