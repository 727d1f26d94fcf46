import type { HeMetadata, ModelConfig } from '../pretrained/config.js';

/** Model card of a banking77 classifier, in Markdown; every figure comes from the arguments. */
export function modelCard(config: ModelConfig, he: HeMetadata): string {
  const { architecture: a, recipe, accuracy, parameters } = config;
  return `# ${config.name}

Sorts a customer's question to a bank into one of ${config.labels.length} intents. The server's part is a polynomial, so that it can run on encrypted input.

## Accuracy

Top-1 on ${config.devQuestions} development questions, a stratified tenth of the data set's training file that training never saw:

| form | accuracy |
|---|---|
| softmax twin, same recipe | ${percent(accuracy.softmax)} |
| PowerSoftmax, as trained | ${percent(accuracy.powerSoftmax)} |
| polynomial, as shipped | ${percent(accuracy.polynomial)} |

Reproduce with seed ${recipe.seed}:

    npm run train -w he-models -- banking77 --data DIR
    npm run evaluate -w he-models -- banking77 --data DIR

The development part also served to choose the recipe, so expect slightly less on new questions.

## Model

- Client, in the clear: WordPiece tokenizer with ${config.embedding.vocabularySize} tokens, token and position embeddings, LayerNorm; ${parameters.client} weights. Padding is rows of zeros.
  At most ${a.maxTokens} tokens.
- Server, on ciphertexts: input \`[${he.inputShape.join(', ')}]\`, one post-norm encoder block with ${a.numHeads} heads of ${a.keyDim}, PowerSoftmax with p = ${a.p}, a feed-forward
  network of ${a.hiddenDim}, the mean over all tokens, and a dense layer to ${config.labels.length} logits; ${parameters.server} weights.
- Training: ${recipe.epochs} epochs of AdamW, batch ${recipe.batchSize}, with a loss that keeps the inputs of the three kinds of non-polynomial functions in narrow ranges.

| site | function | interval | degree | depth | max error |
|---|---|---|---|---|---|
${approximationRows(he)}

Errors are relative for reciprocal and rsqrt, absolute for gelu. Intervals are what the training questions reach with their embeddings times
${recipe.conversion.inputMargin}, widened by ${recipe.conversion.margin}; on the development questions ${config.outsideIntervals} of ${config.approximatedValues} values are outside.

## Use and limits

For showing and measuring encrypted inference on short English questions about everyday banking. It always names one of its intents, also for questions about
something else, and its scores are no calibrated probabilities. Do not let it decide alone about anything that matters to a customer. Words outside the training
questions are spelt out in characters, which the model handles poorly.

## Data and licence

Trained on the training file of [banking77](https://github.com/PolyAI-LDN/task-specific-datasets) (PolyAI; Casanueva et al. 2020, CC BY 4.0). The tokens are a part of the
vocabulary of \`bert-base-uncased\` (Apache-2.0). The weights are under Apache-2.0.
`;
}

/** Rows of the card's table of approximations. */
export function approximationRows({ approximations }: HeMetadata): string {
  return approximations
    .map(
      ({ site, function: name, interval, degree, depth, maxError }) =>
        `| \`${site}\` | ${name} | [${interval.map((end) => end.toFixed(3)).join(', ')}] | ${degree} | ${depth} | ${maxError.toExponential(1)} |`,
    )
    .join('\n');
}

/** A share as in the card, e.g. \`89.45%\`. */
export function percent(share: number): string {
  return `${(100 * share).toFixed(2)}%`;
}
