/** Encrypted latency of every shipped model: `npm run bench -w he-models -- [--json] [--model NAME] [--repeat N] [--fhe execute|simulate]`. */
import { parseArgs } from 'node:util';
import { type EncryptedFhe, HeModelClient, type ModelInput, measureAgreement, PRETRAINED_NAMES } from '../index.js';

const HELP = `npm run bench -w he-models -- [options]

Runs one made-up input through each shipped model, encrypted, client and server in this process. Prints medians of warm runs.

  --model NAME   only this one
  --repeat N     warm runs (default 3)
  --fhe MODE     execute (default) or simulate
  --json         one JSON object per model and line`;

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    repeat: { type: 'string', default: '3' },
    fhe: { type: 'string', default: 'execute' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const repeat = Number(values.repeat);
const fhe: EncryptedFhe = values.fhe === 'simulate' ? 'simulate' : 'execute';
if (values.help || !Number.isInteger(repeat) || repeat < 1) console.log(HELP);
else for (const model of PRETRAINED_NAMES) if (values.model === undefined || values.model === model) await measure(model);

async function measure(model: string): Promise<void> {
  const input = inputOf(await HeModelClient.from_pretrained(model));
  const report = await measureAgreement(
    model,
    Array.from({ length: repeat + 1 }, () => ({ input, label: '' })),
    { fhe },
  );
  const { tokens, totalMs, evaluateMs, refreshMs, refreshes, keyBytes, uploadBytes, downloadBytes, bits } = report;
  const row = { model, tokens, totalMs, evaluateMs, refreshMs, refreshes, keyBytes, trafficBytes: uploadBytes + downloadBytes, bits };
  if (values.json) console.log(JSON.stringify(row));
  else
    for (const [name, value] of Object.entries(row))
      console.log(`${name.padEnd(14)} ${typeof value === 'number' ? Math.round(value) : value}`);
}

/** Latency does not depend on the content. */
function inputOf({ config }: HeModelClient): ModelInput {
  if (config.task !== 'image-classification' && config.task !== 'signal-classification') return 'My card was stolen, please block it';
  const { height, width, scale } = config.embedding.grid;
  return Float32Array.from({ length: height * width }, (_, i) => ((i * 37) % 11 < 3 ? scale : 0));
}
