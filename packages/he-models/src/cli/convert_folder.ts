import { basename } from 'node:path';
import { convertFolder } from '../convert/convert_folder.js';
import { UsageError } from '../errors.js';
import { startWasm } from '../train/wasm.js';
import { takeTurn } from '../turns.js';
import { writeTogether } from '../write_together.js';
import { integerOption, type OptionValues } from './arguments.js';
import type { CommandContext } from './command.js';
import { printReport } from './conversion_report.js';
import { formOf } from './model_form.js';
import { outFolder } from './out_folder.js';

/** The form of `convert` for folders of Hugging Face. */
export async function convertHuggingFaceFolder(
  folder: string,
  values: OptionValues,
  { cwd, print, signal }: CommandContext,
): Promise<void> {
  const given = ['calibration', 'margin', 'bits', 'value-bits', 'tokenizer', 'sample', 'seed'].find(
    (option) => values[option] !== undefined,
  );
  if (given !== undefined) throw new UsageError(`--${given} is not for folders of Hugging Face. See --help.`, { option: given });
  const out = await outFolder(cwd, values.out);
  const tokens = integerOption('tokens', values.tokens, 1);
  const options = { name: basename(out), form: formOf(values), tokens, labels: labelsOf(values.labels) };
  await startWasm();
  const { report, files } = await convertFolder(folder, options);
  await takeTurn(signal);
  await writeTogether(out, files);
  if (values.json === true) return print(JSON.stringify({ out, ...report }));
  printReport(report, print);
  print(`written to ${out}`);
}

function labelsOf(value: string | boolean | undefined): readonly string[] | undefined {
  if (typeof value !== 'string') return undefined;
  const labels = value.split(',').map((label) => label.trim());
  if (labels.length >= 2 && new Set(labels).size === labels.length && !labels.includes('')) return labels;
  throw new UsageError(`--labels must be at least two different names with commas between them, not ${value}.`, {});
}
