import { inputOf } from '../bench/latency.js';
import { DataError } from '../errors.js';
import { measureAgreement } from '../use/agreement.js';
import { measureGeneration } from '../use/generation_agreement.js';
import { HeModelClient } from '../use/he_model_client.js';
import type { PlanFigures } from '../use/plan_figures.js';
import { planOf } from './encrypted_figures.js';

const SEED = 1;

/**
 * Compiles a model and runs one made-up input in simulation: what it takes as compiled now.
 *
 * @throws DataError where the result is not that in the clear, and as `measureAgreement`
 */
export async function simulatedPlan(model: string): Promise<PlanFigures> {
  const client = await HeModelClient.from_pretrained(model);
  const options = { fhe: 'simulate', seed: SEED } as const;
  const report =
    client.task === 'text-generation'
      ? await measureGeneration(model, [], { ...options, prompt: 'Once', newTokens: 1 })
      : await measureAgreement(model, [{ input: inputOf(client), label: '' }], options);
  if (report.sameTop1 === 1) return planOf(report);
  throw new DataError(`${client.name} says otherwise in simulation than in the clear.`, { model: client.name, bits: report.bits });
}

/** A plan but for the predictions, which follow the machine that costs were measured on. */
export function countsOf({ predictedMs: _, layers, ...counts }: PlanFigures): object {
  return { ...counts, layers: layers.map(({ predictedMs: _ms, ...layer }) => layer) };
}
