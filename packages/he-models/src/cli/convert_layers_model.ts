import { readFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { type Tensor, tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { formatReport, replaceSoftmax, toPolynomial } from 'tfjs-power-softmax';
import { embedTexts } from '../convert/embed_texts.js';
import { loadLayersFolder } from '../convert/layers_model.js';
import { openTextFolder, type TextFolder, writePolynomialFolder } from '../convert/polynomial_folder.js';
import { InputError, UsageError } from '../errors.js';
import { floatsAt } from '../pretrained/assets.js';
import { jsonBytes, serialiseModel } from '../train/model_folder.js';
import { startWasm } from '../train/wasm.js';
import { takeTurn } from '../turns.js';
import { writeTogether } from '../write_together.js';
import { integerOption, numberOption, type OptionValues } from './arguments.js';
import type { CommandContext } from './command.js';
import { outFolder } from './out_folder.js';

/** By default: reciprocals are of powers of scores, which vary most. */
const MARGIN = { reciprocal: 3, rsqrt: 1.5, gelu: 1.5, silu: 1.5 };

/** The forms of `convert` for a folder with a `LayersModel`. */
export async function convertLayersModel(source: string, values: OptionValues, context: CommandContext): Promise<void> {
  const { cwd } = context;
  const out = await outFolder(cwd, values.out);
  const p = integerOption('swap-softmax', values['swap-softmax'], 2);
  if ((p === undefined) === (typeof values.calibration !== 'string')) {
    throw new UsageError('Give either --calibration FILE or --swap-softmax P. See --help.', {});
  }
  const given = ['keep-softmax', 'labels', 'tokens', 'tokenizer', 'sample', 'seed'].find((option) => values[option] !== undefined);
  if (given !== undefined)
    throw new UsageError(`--${given} is for checkpoints, and ${source} holds a LayersModel. See --help.`, { option: given });
  if (p !== undefined) return swapSoftmax(source, out, p, values, context);
  return makePolynomial(source, out, values, context);
}

async function swapSoftmax(source: string, out: string, p: number, values: OptionValues, { print, signal }: CommandContext): Promise<void> {
  await startWasm();
  const model = await loadLayersFolder(source);
  const { model: twin, report } = replaceSoftmax(model, { p });
  const files = await modelFiles(twin, report);
  await takeTurn(signal);
  await writeTogether(out, files);
  if (values.json === true) return print(JSON.stringify({ out, needsTraining: true, report }));
  for (const { layer } of report.replaced) print(`replaced  ${layer}`);
  for (const layer of report.kept) print(`kept      ${layer}`);
  for (const warning of report.warnings) print(`warning   ${warning}`);
  print(`written to ${out}; train it further, with the range loss, then convert it with --calibration`);
}

async function makePolynomial(
  source: string,
  out: string,
  values: OptionValues,
  { cwd, print, progress, signal }: CommandContext,
): Promise<void> {
  const bits = integerOption('bits', values.bits, 1);
  const margin = numberOption('margin', values.margin, 1, 100) ?? MARGIN;
  const valueBits = numberOption('value-bits', values['value-bits'], 0, 40);
  await startWasm();
  const model = await loadLayersFolder(source);
  const file = resolve(cwd, String(values.calibration));
  const text = file.endsWith('.txt') ? await openTextFolder(source) : undefined;
  const calibration = text === undefined ? await readCalibration(file, model) : await embedLines(file, text, model);
  await takeTurn(signal);
  const polynomial = toPolynomial(model, { calibration, margin, ...(bits === undefined ? {} : { bits }) });
  await takeTurn(signal);
  if (text === undefined) await writeTogether(out, await modelFiles(polynomial.model, polynomial.report));
  else {
    progress.log('choosing parameters');
    await writePolynomialFolder(out, { name: basename(out), text, polynomial, calibration, valueBits, signal });
  }
  calibration.dispose();
  if (values.json === true) return print(JSON.stringify({ out, report: polynomial.report }));
  print(formatReport(polynomial.report));
  print(`written to ${out}`);
}

async function modelFiles(model: LayersModel, report: object): Promise<Readonly<Record<string, Uint8Array>>> {
  const { modelJson, weights } = await serialiseModel(model);
  return { 'model.json': jsonBytes(modelJson), 'weights.bin': weights, 'report.json': jsonBytes(report) };
}

async function readCalibration(file: string, model: LayersModel): Promise<Tensor> {
  const bytes = await readInputs(file);
  const shape = inputShapeOf(model);
  const size = shape.reduce((product, dimension) => product * dimension, 1);
  const count = bytes.length / (4 * size);
  if (model.inputs.length !== 1 || !Number.isInteger(count) || count === 0) {
    throw new InputError(`${file} holds no whole number of inputs of shape [${shape.join(', ')}] in float32.`, {
      file,
      bytes: bytes.length,
    });
  }
  return tensor(floatsAt(bytes, 0, bytes.length / 4), [count, ...shape]);
}

/** Embeds the lines of a file, longer ones cut off, as the client of the folder does. */
async function embedLines(file: string, text: TextFolder, model: LayersModel): Promise<Tensor> {
  const lines = new TextDecoder()
    .decode(await readInputs(file))
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  const shape = inputShapeOf(model);
  const { features, maxTokens } = text.config.embedding;
  if (lines.length === 0 || model.inputs.length !== 1 || shape[0] !== maxTokens || shape[1] !== features) {
    throw new InputError(`${file} has no texts for inputs of shape [${shape.join(', ')}]: write one a line.`, { file });
  }
  return embedTexts(lines, text);
}

function inputShapeOf(model: LayersModel): number[] {
  return (model.inputs[0]?.shape ?? []).slice(1).map((size) => size ?? 0);
}

async function readInputs(file: string): Promise<Uint8Array> {
  return readFile(file).catch(() => {
    throw new InputError(`Cannot read ${file}: check the path of --calibration.`, { file });
  });
}
