import type { LoadOptions } from '../hub/model_files.js';
import { loadClearModel } from './clear_model.js';
import { compareLogits, type DifferenceSummary, type LogitDifference, summarise } from './compare_logits.js';
import type { ModelInput } from './encoder.js';
import type { EvaluatorOptions } from './evaluator.js';
import { type EncryptedFhe, HeModelClient } from './he_model_client.js';
import { type Inference, openLocalPair } from './local_pair.js';
import { type RunFigures, runFigures } from './run_figures.js';

/** How the encrypted model compares with the clear polynomial one. */
export interface AgreementReport extends RunFigures, DifferenceSummary {
  readonly model: string;
  readonly fhe: EncryptedFhe;
  readonly inputs: number;
  /** Share of inputs with the same top-1, in [0, 1]. */
  readonly sameTop1: number;
  /** Share whose top-1 is the label, encrypted and in the clear. */
  readonly accuracy: number;
  readonly clearAccuracy: number;
}

export interface AgreementOptions extends LoadOptions, EvaluatorOptions {
  readonly fhe: EncryptedFhe;
  /** Seed of the noise in `simulate`. */
  readonly seed?: number;
  readonly onInput?: (done: number, total: number) => void;
}

/**
 * Runs inputs encrypted and in the clear and compares their logits. Texts that are too long are cut off, as in training.
 *
 * @param examples at least one; labels are names of the model's
 * @throws as `pipeline` and its calls
 */
export async function measureAgreement(
  model: string | URL,
  examples: readonly { readonly input: ModelInput; readonly label: string }[],
  options: AgreementOptions,
): Promise<AgreementReport> {
  const { fhe, onInput, signal } = options;
  const client = await HeModelClient.from_pretrained(model, options);
  const clear = await loadClearModel(model, options);
  const start = performance.now();
  const pair = await openLocalPair(client, model, options);
  const setupMs = performance.now() - start;
  const inferences: Inference[] = [];
  const differences: LogitDifference[] = [];
  const counts = { same: 0, right: 0, clearRight: 0 };
  try {
    for (const { input, label } of examples) {
      const expected = clear.logits(client.embed(input, { truncate: true }));
      const inference = await pair.infer(input, { truncate: true, ...(signal === undefined ? {} : { signal }) });
      inferences.push(inference);
      differences.push(compareLogits(inference.logits, expected));
      const [encryptedLabel, clearLabel] = [client.classify(inference.logits)[0]?.label, client.classify(expected)[0]?.label];
      if (encryptedLabel === clearLabel) counts.same += 1;
      if (encryptedLabel === label) counts.right += 1;
      if (clearLabel === label) counts.clearRight += 1;
      onInput?.(inferences.length, examples.length);
    }
    return {
      model: client.name,
      fhe,
      inputs: inferences.length,
      sameTop1: counts.same / inferences.length,
      accuracy: counts.right / inferences.length,
      clearAccuracy: counts.clearRight / inferences.length,
      ...summarise(differences),
      ...runFigures(pair, inferences, setupMs),
    };
  } finally {
    pair.dispose();
    clear.dispose();
  }
}
