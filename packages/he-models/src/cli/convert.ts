import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { io, tensor } from '@tensorflow/tfjs-core';
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers';
import { formatReport, replaceSoftmax, toPolynomial } from 'tfjs-power-softmax';
import { InputError, ModelUnavailableError, UsageError } from '../errors.js';
import { floatsAt } from '../pretrained/assets.js';
import { jsonBytes, serialiseModel } from '../train/model_folder.js';
import { startWasm } from '../train/wasm.js';
import { writeTogether } from '../write_together.js';
import { integerOption, onlyPositional, parseArguments, requiredOption } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';
import { convertLlamaFile } from './convert_llama.js';

export const convert: Command = {
  help: `Usage: he-models convert DIR --calibration FILE --out DIR [options]
       he-models convert DIR --swap-softmax P --out DIR [options]
       he-models convert FILE.bin --tokenizer FILE --out DIR [options]

DIR holds model.json and its weights, as tfjs' model.save writes a LayersModel. The first form turns a model trained with PowerSoftmax into a
polynomial for tfjs-he-backend: its reciprocals, inverse square roots and activations become polynomials on the ranges that the calibration
inputs reach. The second form gives a model with softmax attention its PowerSoftmax twin of power P (even), which must then be trained further.
The third reads a llama2.c checkpoint of version 0 as such a model, with softmax attention, and says what it needs from there on.

  --calibration FILE inputs as little-endian float32, [examples, ...input shape]; some hundreds that cover what the model will see
  --out DIR          where model.json, weights.bin and report.json go (required)
  --margin M         factor by which the ranges are widened (default 1.3)
  --bits B           accuracy of every approximation (default 8)
  --tokenizer FILE   tokenizer.bin of the llama2.c checkpoint
  --tokens N         tokens of the llama2.c model's input (default: those it was trained on)
  --sample N         also writes sample.jsonl: texts of about N tokens in all that the llama2.c model writes by itself
  --seed S           of these texts (default 1)
${COMMON_HELP}`,
  run: async (context) => {
    const { args, cwd, print } = context;
    const { values, positionals } = parseArguments(args, {
      ...COMMON_OPTIONS,
      calibration: { type: 'string' },
      'swap-softmax': { type: 'string' },
      out: { type: 'string' },
      margin: { type: 'string', default: '1.3' },
      bits: { type: 'string' },
      tokenizer: { type: 'string' },
      tokens: { type: 'string' },
      sample: { type: 'string' },
      seed: { type: 'string' },
    });
    const input = onlyPositional(positionals, 'folder with a model.json, or a llama2.c checkpoint');
    if (input.endsWith('.bin')) return convertLlamaFile(input, values, context);
    const source = resolve(cwd, input);
    const out = resolve(cwd, requiredOption('out', values.out, 'the folder to write to'));
    const p = integerOption('swap-softmax', values['swap-softmax'], 2);
    const bits = integerOption('bits', values.bits, 1);
    const margin = Number(values.margin);
    if (!(margin >= 1 && margin <= 100)) throw new UsageError(`--margin must be a number from 1 to 100, not ${String(values.margin)}.`, {});
    if ((p === undefined) === (typeof values.calibration !== 'string')) {
      throw new UsageError('Give either --calibration FILE or --swap-softmax P. See --help.', {});
    }
    await startWasm();
    const model = await loadFolder(source);
    if (p !== undefined) {
      const { model: twin, report } = replaceSoftmax(model, { p });
      await writeModel(out, twin, report);
      if (values.json === true) return print(JSON.stringify({ out, needsTraining: true, report }));
      for (const { layer } of report.replaced) print(`replaced  ${layer}`);
      for (const layer of report.kept) print(`kept      ${layer}`);
      for (const warning of report.warnings) print(`warning   ${warning}`);
      return print(`written to ${out}; train it further, with the range loss, then convert it with --calibration`);
    }
    const calibration = await readCalibration(resolve(cwd, String(values.calibration)), model);
    const { model: polynomial, report } = toPolynomial(model, { calibration, margin, ...(bits === undefined ? {} : { bits }) });
    calibration.dispose();
    await writeModel(out, polynomial, report);
    if (values.json === true) return print(JSON.stringify({ out, report }));
    print(formatReport(report));
    print(`written to ${out}`);
  },
};

async function loadFolder(folder: string): Promise<LayersModel> {
  const read = async (file: string): Promise<Buffer> =>
    readFile(join(folder, file)).catch(() => {
      throw new ModelUnavailableError(`Cannot read ${join(folder, file)}: name a folder that tfjs' model.save wrote.`, { folder });
    });
  const { modelTopology, weightsManifest } = topologyOf((await read('model.json')).toString(), folder);
  const shards: ArrayBuffer[] = [];
  for (const path of weightsManifest.flatMap(({ paths }) => paths)) shards.push(Uint8Array.from(await read(path)).buffer);
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  return loadLayersModel(io.fromMemory({ modelTopology, weightSpecs, weightData: io.CompositeArrayBuffer.join(shards) }));
}

interface Topology {
  readonly modelTopology: object;
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: io.WeightsManifestEntry[] }[];
}

function topologyOf(text: string, folder: string): Topology {
  try {
    const { modelTopology, weightsManifest } = JSON.parse(text);
    if (typeof modelTopology === 'object' && Array.isArray(weightsManifest)) return { modelTopology, weightsManifest };
  } catch {
    // said below
  }
  throw new ModelUnavailableError(`model.json in ${folder} is not that of a tfjs LayersModel with weights.`, { folder });
}

async function readCalibration(file: string, model: LayersModel) {
  const bytes = await readFile(file).catch(() => {
    throw new InputError(`Cannot read ${file}: check the path of --calibration.`, { file });
  });
  const shape = (model.inputs[0]?.shape ?? []).slice(1).map((size) => size ?? 0);
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

async function writeModel(out: string, model: LayersModel, report: object): Promise<void> {
  const { modelJson, weights } = await serialiseModel(model);
  await writeTogether(out, { 'model.json': jsonBytes(modelJson), 'weights.bin': weights, 'report.json': jsonBytes(report) });
}
