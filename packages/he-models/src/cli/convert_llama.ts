import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { InputError, UsageError } from '../errors.js';
import { convertLlama } from '../llama/convert_checkpoint.js';
import { sampleTexts } from '../llama/sample.js';
import { bytePairTokenizerJson, parseLlamaVocabulary } from '../llama/tokenizer.js';
import { startWasm } from '../train/wasm.js';
import { takeTurn } from '../turns.js';
import { writeTogether } from '../write_together.js';
import { integerOption, type OptionValues, requiredOption } from './arguments.js';
import type { CommandContext } from './command.js';
import { printReport } from './conversion_report.js';
import { formOf } from './model_form.js';
import { outFolder } from './out_folder.js';

/** The form of `convert` for checkpoints of llama2.c. */
export async function convertLlamaFile(
  file: string,
  values: OptionValues,
  { cwd, print, progress, signal }: CommandContext,
): Promise<void> {
  const given = ['calibration', 'labels', 'bits', 'value-bits', 'margin'].find((option) => values[option] !== undefined);
  if (given !== undefined) throw new UsageError(`--${given} is for folders: convert the checkpoint first. See --help.`, { option: given });
  const out = await outFolder(cwd, values.out);
  const tokens = integerOption('tokens', values.tokens, 1);
  const sample = integerOption('sample', values.sample, 1) ?? 0;
  const seed = integerOption('seed', values.seed, 0) ?? 1;
  const tokenizerBytes = await readInput(resolve(cwd, requiredOption('tokenizer', values.tokenizer, "llama2.c's tokenizer.bin")));
  await startWasm();
  const options = { name: basename(out), form: formOf(values), tokens };
  const { checkpoint, report, files } = await convertLlama(await readInput(resolve(cwd, file)), tokenizerBytes, options);
  const vocabulary = parseLlamaVocabulary(tokenizerBytes, checkpoint.config.vocabulary);
  const tokenizer = new Tokenizer(bytePairTokenizerJson(vocabulary), {});
  const onText = (written: number): void => progress.update(Math.min(written, sample), sample, 'writing text');
  const texts = await sampleTexts(checkpoint, sample, seed, onText, signal);
  const lines = texts.map((ids) => JSON.stringify({ text: tokenizer.decode([...ids], { skip_special_tokens: true }) }));
  await takeTurn(signal);
  await writeTogether(out, { ...files, ...(sample === 0 ? {} : { 'sample.jsonl': `${lines.join('\n')}\n` }) });
  progress.clear();
  if (values.json === true) return print(JSON.stringify({ out, ...report, texts: texts.length }));
  printReport(report, print);
  print(`written to ${out}`);
}

async function readInput(path: string): Promise<Uint8Array> {
  return readFile(path).catch(() => {
    throw new InputError(`Cannot read ${path}: check the path.`, { file: path });
  });
}
