import { basename } from 'node:path';
import { convertFolder } from '../convert/convert_folder.js';
import type { ModelForm } from '../convert/form.js';
import { UsageError } from '../errors.js';
import { startWasm } from '../train/wasm.js';
import { takeTurn } from '../turns.js';
import { writeTogether } from '../write_together.js';
import { integerOption, numberOption, type OptionValues } from './arguments.js';
import type { CommandContext } from './command.js';
import { outFolder } from './out_folder.js';

const DEFAULT_POWER = 4;
/** With these, a reciprocal and an inverse square root have polynomials of low degree on what training leaves them. */
const DEFAULT_EPSILON = 0.1;

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
  print(
    `architecture   ${report.architecture}, ${report.sizes.layers} layers of ${report.sizes.features} features, ${report.tokens} tokens`,
  );
  for (const change of report.changed) print(`changed        ${change}`);
  for (const { site, function: kind } of report.notPolynomial) print(`not polynomial ${site}: ${kind}, interval unknown until calibrated`);
  for (const need of report.needs) print(`needs          ${need}`);
  print(`written to ${out}`);
}

function formOf(values: OptionValues): ModelForm {
  const power = integerOption('swap-softmax', values['swap-softmax'], 2);
  const epsilon = numberOption('epsilon', values.epsilon, 0, 100);
  const normEpsilon = numberOption('norm-epsilon', values['norm-epsilon'], 0, 100);
  if (values['keep-softmax'] !== true) {
    return {
      attention: 'power',
      p: power ?? DEFAULT_POWER,
      epsilon: epsilon ?? DEFAULT_EPSILON,
      normEpsilon: normEpsilon ?? DEFAULT_EPSILON,
    };
  }
  if (power === undefined && epsilon === undefined && normEpsilon === undefined) return { attention: 'softmax' };
  throw new UsageError('--keep-softmax leaves the model as it is: give it without --swap-softmax, --epsilon and --norm-epsilon.', {});
}

function labelsOf(value: string | boolean | undefined): readonly string[] | undefined {
  if (typeof value !== 'string') return undefined;
  const labels = value.split(',').map((label) => label.trim());
  if (labels.length >= 2 && new Set(labels).size === labels.length && !labels.includes('')) return labels;
  throw new UsageError(`--labels must be at least two different names with commas between them, not ${value}.`, {});
}
