import { choiceOption, integerOption, parseArguments } from '../cli/arguments.js';
import { UsageError } from '../errors.js';
import { PRETRAINED_NAMES } from '../pretrained/registry.js';
import { type AgreementOptions, type AgreementReport, measureAgreement } from '../use/agreement.js';
import type { ModelInput } from '../use/encoder.js';
import type { EvaluatorOptions } from '../use/evaluator.js';
import { type GenerationReport, measureGeneration } from '../use/generation_agreement.js';
import { HeModelClient } from '../use/he_model_client.js';

export const LATENCY_HELP = `npm run bench -w he-models -- [options]

Runs one made-up input (of a language model: tokens of a text) through each shipped model, encrypted, client and server in this process. Prints
medians of warm runs.

  --model NAME   only this one
  --repeat N     warm runs (default 3)
  --engine NAME  simd (default), seal, or mock (simulation)
  --threads N    of simd (default: 2, or 1 on a machine with one core)
  --json         one JSON object per model and line`;

/** Encrypted latency of every shipped model. @throws UsageError */
export async function latency(args: readonly string[]): Promise<void> {
  const { values, positionals } = parseArguments(args, {
    model: { type: 'string' },
    repeat: { type: 'string', default: '3' },
    engine: { type: 'string' },
    threads: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  if (values.help === true) return console.log(LATENCY_HELP);
  if (positionals.length > 0) throw new UsageError(`There is no bench ${positionals.join(' ')}. See --help.`, { given: positionals });
  const engine = values.engine === undefined ? undefined : choiceOption('engine', values.engine, ['simd', 'seal', 'mock']);
  const threads = integerOption('threads', values.threads, 1);
  const evaluator = { ...(engine === undefined ? {} : { engine }), ...(threads === undefined ? {} : { threads }) };
  const repeat = integerOption('repeat', values.repeat, 1) ?? 1;
  const models = values.model === undefined ? PRETRAINED_NAMES : [choiceOption('model', values.model, PRETRAINED_NAMES)];
  for (const model of models) {
    await measure(model, { evaluator, repeat, json: values.json === true });
  }
}

interface LatencyOptions {
  readonly evaluator: EvaluatorOptions;
  readonly repeat: number;
  readonly json: boolean;
}

async function measure(model: string, { evaluator, repeat, json }: LatencyOptions): Promise<void> {
  const client = await HeModelClient.from_pretrained(model);
  const options = { fhe: evaluator.engine === 'mock' ? 'simulate' : 'execute', ...evaluator } as const;
  const report =
    client.task === 'text-generation' ? await tokenReport(client, repeat, options) : await inputReport(client, repeat, options);
  const { engine, execution, tokens, totalMs, evaluateMs, refreshMs, refreshes, keyBytes, uploadBytes, downloadBytes } = report;
  const trafficBytes = uploadBytes + downloadBytes;
  const row = {
    model,
    engine,
    threads: execution.threads,
    tokens,
    totalMs,
    evaluateMs,
    refreshMs,
    refreshes,
    keyBytes,
    trafficBytes,
    constantBytes: report.constantBytes,
    bits: report.bits,
  };
  if (json) console.log(JSON.stringify(row));
  else
    for (const [name, value] of Object.entries(row))
      console.log(`${name.padEnd(14)} ${typeof value === 'number' ? Math.round(value) : value}`);
}

type MeasureOptions = Pick<AgreementOptions, 'fhe'> & EvaluatorOptions;

async function inputReport(client: HeModelClient, repeat: number, options: MeasureOptions): Promise<AgreementReport> {
  const inputs = Array.from({ length: repeat + 1 }, () => ({ input: inputOf(client), label: '' }));
  return measureAgreement(client.name, inputs, options);
}

/** Of a language model, one run is one token, whatever its place in the context. */
async function tokenReport(client: HeModelClient, repeat: number, options: MeasureOptions): Promise<GenerationReport> {
  const { ids } = client.tokenize('Once upon a time, there was a little girl');
  const text = Array.from({ length: repeat + 1 }, (_, i) => ids[i % ids.length] ?? 0);
  return measureGeneration(client.name, [text], { ...options, newTokens: 0 });
}

/** Latency does not depend on the content. */
export function inputOf({ config }: HeModelClient): ModelInput {
  if (config.task !== 'image-classification' && config.task !== 'signal-classification') return 'My card was stolen, please block it';
  const { height, width, scale } = config.embedding.grid;
  return Float32Array.from({ length: height * width }, (_, i) => ((i * 37) % 11 < 3 ? scale : 0));
}
