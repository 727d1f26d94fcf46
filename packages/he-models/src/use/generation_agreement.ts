import { argMax } from '../train/metrics.js';
import type { AgreementOptions, AgreementReport } from './agreement.js';
import { loadClearReader } from './clear_reader.js';
import { compareLogits, type LogitDifference, summarise } from './compare_logits.js';
import { continueText } from './continue_text.js';
import type { ModelInput } from './encoder.js';
import { HeModelClient } from './he_model_client.js';
import type { Inference } from './local_pair.js';
import { openLocalReader } from './local_reader.js';
import { type RunFigures, runFigures } from './run_figures.js';
import type { TextReader } from './text_reader.js';

/** How an encrypted language model compares with the clear polynomial one. Times, refreshes and bytes are of one token. */
export interface GenerationReport extends Pick<AgreementReport, 'model' | 'fhe' | 'sameTop1' | 'mse' | 'bits' | 'leastBits'>, RunFigures {
  readonly texts: number;
  /** Tokens read, for which `sameTop1` and the differences are. */
  readonly read: number;
  /** Greedy continuation of the first text's beginning, the client feeding tokens back: how many tokens were written, and how many of them before the first difference. */
  readonly written: number;
  readonly sameWritten: number;
}

export interface GenerationAgreementOptions extends AgreementOptions {
  /** Tokens to write, 0 for none. Default 20. */
  readonly newTokens?: number;
  /** False: whole windows instead of a cache of keys and values. */
  readonly cache?: boolean;
}

/** Tokens of the first text that the continuation begins with. */
const PROMPT = 5;

/**
 * Reads texts token by token, encrypted and in the clear, and compares the logits; then has both continue the beginning of the first one.
 *
 * @param inputs texts or their tokens, at least one of at least one token; of longer ones the last tokens that fit the context
 * @throws as `pipeline` and its calls
 */
export async function measureGeneration(
  model: string | URL,
  inputs: readonly ModelInput[],
  options: GenerationAgreementOptions,
): Promise<GenerationReport> {
  const { fhe, onInput, signal, newTokens = 20 } = options;
  const client = await HeModelClient.from_pretrained(model, options);
  const texts = inputs.map((input) => (typeof input === 'string' ? client.tokenize(input, { truncate: true }).ids : Array.from(input)));
  const clear = await loadClearReader(client, model, options);
  const encrypted = await openLocalReader(client, model, options);
  const runs: Inference[] = [];
  const differences: LogitDifference[] = [];
  let same = 0;
  const readOptions = { onRun: (run: Inference) => runs.push(run), ...(signal === undefined ? {} : { signal }) };
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  try {
    for (const text of texts) {
      const [a, b] = [encrypted.begin(), clear.begin()];
      for (const token of text) {
        const [logits, expected] = [await a.read([token], readOptions), await b.read([token])];
        differences.push(compareLogits(logits, expected));
        if (argMax(logits) === argMax(expected)) same += 1;
        onInput?.(differences.length, total);
      }
      a.dispose();
      b.dispose();
    }
    const prompt = (texts[0] ?? []).slice(0, PROMPT);
    const write = async (reader: TextReader): Promise<number[]> => {
      const text = reader.begin();
      const ids = await continueText(prompt, newTokens, { read: (tokens) => text.read(tokens, readOptions) });
      text.dispose();
      return ids;
    };
    const expected = await write(clear);
    const written = newTokens === 0 ? [] : await write(encrypted);
    const differs = written.findIndex((token, i) => token !== expected[i]);
    return {
      model: client.name,
      fhe,
      texts: texts.length,
      read: differences.length,
      sameTop1: same / differences.length,
      ...summarise(differences),
      written: written.length,
      sameWritten: differs === -1 && written.length === expected.length ? written.length : Math.max(differs, 0),
      ...runFigures(encrypted.pair, runs),
    };
  } finally {
    encrypted.dispose();
    clear.dispose();
  }
}
