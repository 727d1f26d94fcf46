import { parseArgs } from 'node:util';
import { HeError } from 'tfjs-he-backend';
import type { ServerEngine } from 'tfjs-he-backend/server';
import { PRETRAINED_NAMES } from '../pretrained/registry.js';
import { type AgreementOptions, type AgreementReport, measureAgreement } from '../use/agreement.js';
import type { ModelInput } from '../use/encoder.js';
import { type GenerationReport, measureGeneration } from '../use/generation_agreement.js';
import { HeModelClient } from '../use/he_model_client.js';

const ENGINES: readonly ServerEngine[] = ['simd', 'seal', 'mock'];

export const LATENCY_HELP = `npm run bench -w he-models -- [options]

Runs one made-up input (of a language model: tokens of a text) through each shipped model, encrypted, client and server in this process. Prints
medians of warm runs.

  --model NAME   only this one
  --repeat N     warm runs (default 3)
  --engine NAME  simd (default), seal, or mock (simulation)
  --json         one JSON object per model and line`;

/** Encrypted latency of every shipped model that fits the engine's memory. */
export async function latency(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      model: { type: 'string' },
      repeat: { type: 'string', default: '3' },
      engine: { type: 'string', default: 'simd' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const repeat = Number(values.repeat);
  const engine = ENGINES.find((name) => name === values.engine);
  if (values.help || engine === undefined || !Number.isInteger(repeat) || repeat < 1) return console.log(LATENCY_HELP);
  for (const model of PRETRAINED_NAMES) {
    if (values.model !== undefined && values.model !== model) continue;
    await measure(model, { engine, repeat, json: values.json }).catch(skipTooLarge(model));
  }
}

interface LatencyOptions {
  readonly engine: ServerEngine;
  readonly repeat: number;
  readonly json: boolean;
}

async function measure(model: string, { engine, repeat, json }: LatencyOptions): Promise<void> {
  const client = await HeModelClient.from_pretrained(model);
  const options = { fhe: engine === 'mock' ? 'simulate' : 'execute', engine } as const;
  const report =
    client.task === 'text-generation' ? await tokenReport(client, repeat, options) : await inputReport(client, repeat, options);
  const { tokens, totalMs, evaluateMs, refreshMs, refreshes, keyBytes, uploadBytes, downloadBytes, bits } = report;
  const trafficBytes = uploadBytes + downloadBytes;
  const row = { model, engine, tokens, totalMs, evaluateMs, refreshMs, refreshes, keyBytes, trafficBytes, bits };
  if (json) console.log(JSON.stringify(row));
  else
    for (const [name, value] of Object.entries(row))
      console.log(`${name.padEnd(14)} ${typeof value === 'number' ? Math.round(value) : value}`);
}

type MeasureOptions = Pick<AgreementOptions, 'fhe' | 'engine'>;

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

/** A model whose constants no engine's memory holds is passed over with a line on standard error. */
function skipTooLarge(model: string): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof HeError) || error.code !== 'MEMORY_BUDGET') throw error;
    console.error(`${model} is left out: ${error.message}`);
  };
}

/** Latency does not depend on the content. */
function inputOf({ config }: HeModelClient): ModelInput {
  if (config.task !== 'image-classification' && config.task !== 'signal-classification') return 'My card was stolen, please block it';
  const { height, width, scale } = config.embedding.grid;
  return Float32Array.from({ length: height * width }, (_, i) => ((i * 37) % 11 < 3 ? scale : 0));
}
