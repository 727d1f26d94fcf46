import '@tensorflow/tfjs-backend-cpu';
import { parseArgs } from 'node:util';
import { enableProdMode, setBackend, tensor } from '@tensorflow/tfjs-core';
import { fromPretrained } from 'he-models';
import { banking77Split } from 'he-models/data';
import { compile, profile, profileTable } from 'tfjs-he-backend';
import { type Inference, openEncryptedPair } from './encrypted_pair.ts';
import { argMax, bitsOfPrecision, mean, median } from './statistics.ts';

export const AGREEMENT_HELP = `agreement: encrypted against plaintext polynomial model on development questions

  --data DIR       folder with banking77/train.csv (required)
  --engine NAME    mock, seal or simd (default mock); the model is compiled for it
  --threads N      of simd (default 1)
  --limit N        questions (default 200 on mock, else 20)
  --model NAME     default power-banking77
  --json           one JSON object on the last line`;

/** Same top-1? How many bits? How long? Questions longer than the model's tokens are truncated, as in training. */
export async function agreement(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      data: { type: 'string' },
      engine: { type: 'string', default: 'mock' },
      threads: { type: 'string', default: '1' },
      limit: { type: 'string' },
      model: { type: 'string', default: 'power-banking77' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(AGREEMENT_HELP);
    return;
  }
  const { engine, data } = values;
  if (data === undefined) throw new Error('--data DIR is missing');
  if (engine !== 'mock' && engine !== 'seal' && engine !== 'simd') throw new Error(`unknown engine '${engine}': mock, seal or simd`);
  const limit = Number(values.limit ?? (engine === 'mock' ? 200 : 20));
  const threads = Number(values.threads);
  if (![limit, threads].every((count) => Number.isInteger(count) && count > 0))
    throw new Error('--limit and --threads take positive integers');

  enableProdMode();
  await setBackend('cpu');
  const pretrained = await fromPretrained(values.model);
  const { dev } = await banking77Split(data);
  const compileStart = performance.now();
  const costEngine = engine === 'seal' ? 'seal' : 'simd';
  const program = await compile(pretrained.model, { engine: costEngine });
  const compileMs = performance.now() - compileStart;
  if (!values.json) console.log(`${profileTable(profile(program, 20, costEngine))}\n`);
  const pair = await openEncryptedPair(program, engine, threads);

  const bits: number[] = [];
  const inferences: Inference[] = [];
  let agreeing = 0;
  let correct = 0;
  try {
    for (const { text, label } of dev) {
      if (inferences.length === limit) break;
      const embedded = pretrained.embed(text, { truncate: true });
      const plain = plainLogits(pretrained.model, embedded, pretrained.inputShape);
      const inference = await pair.infer(embedded);
      inferences.push(inference);
      bits.push(bitsOfPrecision(inference.output, plain));
      if (argMax(inference.output) === argMax(plain)) agreeing++;
      if (pretrained.labels[argMax(inference.output)] === label) correct++;
      if (process.stderr.isTTY)
        process.stderr.write(
          `\r${inferences.length}/${limit} same top-1 ${agreeing}, ${bits.at(-1)?.toFixed(1)} bits, ${(inference.totalMs / 1000).toFixed(2)} s   `,
        );
    }
  } finally {
    pair.dispose();
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
  const [cold, ...warm] = inferences;
  const timed = warm.length > 0 ? warm : inferences;
  const p = profile(program);
  const report = {
    model: values.model,
    engine,
    ...(engine === 'simd' ? { threads } : {}),
    questions: inferences.length,
    sameTop1: agreeing,
    accuracy: correct / inferences.length,
    bitsMean: mean(bits),
    bitsMin: Math.min(...bits),
    params: {
      polyModulusDegree: p.polyModulusDegree,
      coeffModulusBits: p.coeffModulusBits,
      totalBits: p.totalBits,
      securityBits: p.securityBits,
    },
    tokens: pretrained.config.embedding.maxTokens,
    refreshRounds: p.segments - 1,
    refreshes: p.refreshes,
    compileMs,
    setupMs: pair.setupMs,
    coldMs: cold?.totalMs,
    warmMs: {
      total: median(timed.map((i) => i.totalMs)),
      evaluate: median(timed.map((i) => i.run.evaluateMs)),
      refresh: median(timed.map((i) => i.run.refreshMs)),
    },
    keyUploadBytes: pair.keyUploadBytes,
    keyMemoryBytes: p.evaluationKeyBytes,
    uploadBytes: cold?.uploadBytes,
    downloadBytes: cold?.downloadBytes,
  };
  if (values.json) console.log(JSON.stringify(report));
  else
    for (const [name, value] of Object.entries(report))
      console.log(`${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
}

function plainLogits(
  model: Awaited<ReturnType<typeof fromPretrained>>['model'],
  embedded: Float32Array,
  shape: readonly number[],
): Float32Array {
  const input = tensor(embedded, [...shape]);
  const output = model.predict(input);
  const first = Array.isArray(output) ? output[0] : output;
  const logits = Float32Array.from(first?.dataSync() ?? []);
  input.dispose();
  first?.dispose();
  return logits;
}
