import type { HeMetadata } from '../../pretrained/config.js';
import { approximationRows, percent } from '../card.js';
import type { TrainedPatchConfig } from './patch_artefacts.js';
import type { PatchArchitecture } from './patch_recipe.js';
import { PATCH_TASKS, type PatchTask } from './patch_tasks.js';

/** Model card of a classifier of arrays, in Markdown; every figure comes from the arguments. */
export function patchCard(config: TrainedPatchConfig, he: HeMetadata, task: PatchTask): string {
  const { recipe, accuracy, macroF1, parameters } = config;
  const { grid, features } = recipe.architecture;
  const dataset = Object.keys(PATCH_TASKS).find((name) => PATCH_TASKS[name]?.name === task.name) ?? task.name;
  return `# ${config.name}

${task.card.purpose} The server's part is a polynomial, so that it can run on encrypted input.

## Accuracy

On ${config.devExamples} development examples, ${task.card.split}:

| form | top-1 | macro F1 |
|---|---|---|
| softmax twin, same recipe | ${percent(accuracy.softmax)} | ${percent(macroF1.softmax)} |
| PowerSoftmax, as trained | ${percent(accuracy.powerSoftmax)} | ${percent(macroF1.powerSoftmax)} |
| polynomial, as shipped | ${percent(accuracy.polynomial)} | ${percent(macroF1.polynomial)} |

F1 by class, as shipped: ${config.labels.map((label, index) => `${label} ${config.f1[index]?.toFixed(3) ?? '(no examples)'}`).join(', ')}.

Reproduce with seed ${recipe.seed}:

    npm run train -w he-models -- ${dataset} --data DIR
    npm run evaluate -w he-models -- ${dataset} --data DIR

${task.card.choice}

## Model

- Input: ${task.card.input}.
- Client, in the clear: ${he.tokens} overlapping windows of ${grid.patchHeight} x ${grid.patchWidth}, a linear map of each to ${features} numbers, a position embedding, LayerNorm; ${parameters.client} weights.
- Server, on ciphertexts: input \`[${he.inputShape.join(', ')}]\`, ${serverLayers(recipe.architecture)} to ${config.labels.length} logits; ${parameters.server} weights; ${he.depth} levels deep.
- Training: ${recipe.epochs} epochs of ${recipe.examplesPerEpoch} examples with AdamW, batch ${recipe.batchSize}, shifted at random by up to ${Math.max(...recipe.maxShift)}, with a loss that keeps the denominator of attention in a narrow range. The
  softmax twin differs in nothing but the attention.

| site | function | interval | degree | depth | max error |
|---|---|---|---|---|---|
${approximationRows(he)}

Errors are relative. The interval is what ${recipe.conversion.calibrationExamples} training examples reach, widened by ${recipe.conversion.margin}; on the development examples ${config.outsideIntervals} of ${config.approximatedValues} values are outside.

${
  task.card.sizes === undefined
    ? ''
    : `## Sizes that were tried

${task.card.sizes}

`
}## Use and limits

${task.card.limits}

## Data and licence

${task.card.data}
`;
}

/** From the input to the logits, in words. */
function serverLayers({ numHeads, keyDim, hiddenDim, p, head }: PatchArchitecture): string {
  const network = `a feed-forward network of ${hiddenDim} with the activation\n  x^2 / 8 + x / 4 + 1/2`;
  if (head !== 'queries') {
    return `attention with ${numHeads} heads of ${keyDim} and PowerSoftmax with p = ${p}, ${network}, a residual connection around each, no normalisation, and a dense layer from ${head === 'mean' ? 'the mean of the tokens' : 'all tokens'}`;
  }
  const queries = `attention of ${numHeads} learned queries, ${keyDim === 1 ? 'a value' : `${keyDim} values`} each, to the tokens with PowerSoftmax with p = ${p}`;
  return `${queries}, ${hiddenDim === 0 ? '' : `${network} with a residual connection, `}no normalisation, and a dense layer`;
}
