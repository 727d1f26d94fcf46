import { profile } from 'tfjs-he-backend';
import { argMax } from '../train/metrics.js';
import type { AgreementOptions, AgreementReport } from './agreement.js';
import { loadClearReader } from './clear_reader.js';
import { continueText } from './continue_text.js';
import type { ModelInput } from './encoder.js';
import { HeModelClient } from './he_model_client.js';
import type { Inference } from './local_pair.js';
import { openLocalReader } from './local_reader.js';
import { median } from './median.js';
import type { TextReader } from './text_reader.js';

/** How an encrypted language model compares with the clear polynomial one. Times, refreshes and bytes are of one token. */
export interface GenerationReport
  extends Pick<
    AgreementReport,
    | 'model'
    | 'fhe'
    | 'sameTop1'
    | 'mse'
    | 'bits'
    | 'leastBits'
    | 'tokens'
    | 'depth'
    | 'refreshes'
    | 'refreshRounds'
    | 'parameters'
    | 'coldMs'
    | 'totalMs'
    | 'evaluateMs'
    | 'refreshMs'
    | 'keyBytes'
    | 'uploadBytes'
    | 'downloadBytes'
  > {
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
  const differences: number[] = [];
  const sums = { squares: 0, logits: 0, same: 0 };
  const readOptions = { onRun: (run: Inference) => runs.push(run), ...(signal === undefined ? {} : { signal }) };
  const total = texts.reduce((sum, text) => sum + text.length, 0);
  try {
    for (const text of texts) {
      const [a, b] = [encrypted.begin(), clear.begin()];
      for (const token of text) {
        const [logits, expected] = [await a.read([token], readOptions), await b.read([token])];
        const errors = Array.from(expected, (value, i) => Math.abs(value - (logits[i] ?? Number.NaN)));
        differences.push(Math.max(...errors));
        sums.squares += errors.reduce((sum, error) => sum + error * error, 0);
        sums.logits += errors.length;
        if (argMax(logits) === argMax(expected)) sums.same += 1;
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
    const plan = profile(encrypted.pair.server.program);
    const timed = runs.length > 1 ? runs.slice(1) : runs;
    const bits = differences.map((difference) => -Math.log2(difference));
    const { polyModulusDegree, coeffModulusBits, totalBits, securityBits } = plan;
    return {
      model: client.name,
      fhe,
      texts: texts.length,
      read: differences.length,
      sameTop1: sums.same / differences.length,
      mse: sums.squares / sums.logits,
      bits: bits.reduce((sum, value) => sum + value, 0) / bits.length,
      leastBits: Math.min(...bits),
      written: written.length,
      sameWritten: differs === -1 && written.length === expected.length ? written.length : Math.max(differs, 0),
      tokens: client.inputShape[1],
      depth: plan.depth,
      refreshes: plan.refreshes,
      refreshRounds: plan.segments - 1,
      parameters: { polyModulusDegree, coeffModulusBits, totalBits, securityBits },
      coldMs: runs[0]?.totalMs ?? 0,
      totalMs: median(timed.map(({ totalMs }) => totalMs)),
      evaluateMs: median(timed.map(({ evaluateMs }) => evaluateMs)),
      refreshMs: median(timed.map(({ refreshMs }) => refreshMs)),
      keyBytes: encrypted.pair.keyBytes,
      uploadBytes: runs[1]?.uploadBytes ?? runs[0]?.uploadBytes ?? 0,
      downloadBytes: runs[1]?.downloadBytes ?? runs[0]?.downloadBytes ?? 0,
    };
  } finally {
    encrypted.dispose();
    clear.dispose();
  }
}
