import { DataError, UsageError } from '../errors.js';
import { permutation, seededRandom } from '../random.js';
import type { ModelInput } from '../use/encoder.js';
import { banking77Split, readIfPresent, SPLIT_SEED } from './banking77.js';
import { ecgSplit } from './ecg.js';
import { type ArraySplit, mnistSplit } from './mnist.js';
import { sst2Split } from './sst2.js';
import { heldOutStories } from './stories.js';

/** One development example, as a user of the model would give it. */
export interface LabelledInput {
  readonly input: ModelInput;
  readonly label: string;
}

type Reader = (directory: string) => Promise<readonly LabelledInput[]>;

const READERS: Readonly<Record<string, Reader>> = {
  'power-banking77': async (directory) => (await banking77Split(directory)).dev.map(({ text, label }) => ({ input: text, label })),
  // In the file all beats of a patient come together: the first few should be of all.
  'power-ecg': async (directory) => shuffled(labelledRows(await ecgSplit(directory))),
  'power-mnist-vit': async (directory) => labelledRows(await mnistSplit(directory)),
  // Tokens of a text to be continued: there is no label.
  'power-stories-260k': async (directory) => (await heldOutStories(directory)).map((input) => ({ input, label: '' })),
  'power-sst2': async (directory) => (await sst2Split(directory)).dev.map(({ text, label }) => ({ input: text, label })),
};

function shuffled(inputs: readonly LabelledInput[]): readonly LabelledInput[] {
  return Array.from(permutation(inputs.length, seededRandom(SPLIT_SEED))).flatMap((index) => inputs[index] ?? []);
}

function labelledRows({ dev, classes }: ArraySplit): readonly LabelledInput[] {
  const { values, length, labels } = dev;
  return Array.from(labels, (label, row) => ({ input: values.subarray(row * length, (row + 1) * length), label: classes[label] ?? '' }));
}

/**
 * Labelled examples to measure a model on: the development examples that the card of a model of this package reports on, or, for any model,
 * a file of JSON lines `{"input": text or array, "label": name}`.
 *
 * @param data folder of the data set or the folder above it, or a file ending in `.jsonl`
 * @throws UsageError for a folder and a model without a development set, DataError
 */
export async function developmentInputs(model: string, data: string): Promise<readonly LabelledInput[]> {
  if (data.endsWith('.jsonl')) return readJsonLines(data);
  const read = READERS[model];
  if (read !== undefined) return read(data);
  const known = Object.keys(READERS).join(', ');
  throw new UsageError(`Development data is known of ${known}: for ${model} give a .jsonl file of inputs and labels.`, { model });
}

async function readJsonLines(file: string): Promise<readonly LabelledInput[]> {
  const text = await readIfPresent(file);
  if (text === undefined) throw new DataError(`There is no file ${file}: check the path.`, { file });
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length === 0) throw new DataError(`${file} is empty: write {"input": ..., "label": ...} on each line.`, { file });
  return lines.map((line, index) => parseExample(line, index + 1, file));
}

function parseExample(line: string, number: number, file: string): LabelledInput {
  try {
    const { input, label } = JSON.parse(line);
    const isArray = Array.isArray(input) && input.every((value) => typeof value === 'number');
    if (typeof label === 'string' && (typeof input === 'string' || isArray)) return { input, label };
  } catch {
    // refused below
  }
  throw new DataError(`Line ${number} of ${file} is something else than {"input": text or numbers, "label": name}: correct or remove it.`, {
    file,
    line: number,
  });
}
