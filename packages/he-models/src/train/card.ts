import type { Accuracies, ClassScores, HeMetadata, ModelConfig } from '../pretrained/config.js';

/** Parts of a text model's card that no figure stands in. */
export interface TextCardText {
  /** What the model does, one sentence. */
  readonly purpose: string;
  /** How the development part was split off. */
  readonly split: string;
  /** Commands that make and evaluate it. */
  readonly commands: readonly string[];
  /** What the accuracies leave open. Default: that the development part also served to choose the recipe. */
  readonly caveat?: string;
  readonly limits: string;
  readonly data: string;
}

export const BANKING77_CARD: TextCardText = {
  purpose: "Sorts a customer's question to a bank into one of 77 intents.",
  split: "a stratified tenth of the data set's training file that training never saw",
  commands: ['npm run train -w he-models -- banking77 --data DIR', 'npm run evaluate -w he-models -- banking77 --data DIR'],
  limits: `For showing and measuring encrypted inference on short English questions about everyday banking. It always names one of its intents, also for questions about
something else, and its scores are no calibrated probabilities. Do not let it decide alone about anything that matters to a customer. Words outside the training
questions are spelt out in characters, which the model handles poorly.`,
  data: `Trained on the training file of [banking77](https://github.com/PolyAI-LDN/task-specific-datasets) (PolyAI; Casanueva et al. 2020, CC BY 4.0). The tokens are a part of the
vocabulary of \`bert-base-uncased\` (Apache-2.0). The weights are under Apache-2.0.`,
};

/** Model card of a text classifier, in Markdown; every figure comes from the arguments. */
export function modelCard(config: ModelConfig, he: HeMetadata, text: TextCardText = BANKING77_CARD): string {
  const { architecture: a, recipe, parameters } = config;
  const { blocks = 1, feedForwardParts = 1 } = a;
  const { calibration } = recipe.conversion;
  return `# ${config.name}

${text.purpose} The server's part is a polynomial, so that it can run on encrypted input.

## Accuracy

Top-1 on ${config.devQuestions} development questions, ${text.split}:

${accuracyTable(config)}

Reproduce with seed ${recipe.seed}:

${text.commands.map((command) => `    ${command}`).join('\n')}

${text.caveat ?? 'The development part also served to choose the recipe, so expect slightly less on new questions.'}

## Model

- Client, in the clear: WordPiece tokenizer with ${config.embedding.vocabularySize} tokens, token and position embeddings, LayerNorm; ${parameters.client} weights. Padding is rows of zeros.
  At most ${a.maxTokens} tokens.
- Server, on ciphertexts: input \`[${he.inputShape.join(', ')}]\`, ${blocks === 1 ? 'one post-norm encoder block' : `${blocks} post-norm encoder blocks without biases`} with ${a.numHeads} heads of ${a.keyDim}, PowerSoftmax with p = ${a.p}, a feed-forward
  network of ${a.hiddenDim}${feedForwardParts === 1 ? '' : ` as the sum of ${feedForwardParts} parts`}, the mean over all tokens, and a dense layer to ${config.labels.length} logits; ${parameters.server} weights.
- Training: ${recipe.epochs} epochs of AdamW, batch ${recipe.batchSize}, with a loss that keeps the inputs of the three kinds of non-polynomial functions in narrow ranges.${pretrainingLine(config)}

| site | function | interval | degree | depth | max error |
|---|---|---|---|---|---|
${approximationRows(he)}

Errors are relative for reciprocal and rsqrt, absolute for gelu. Intervals are what ${calibration === undefined ? 'the training questions' : `the ${calibration} longest training texts`} reach with their embeddings times
${recipe.conversion.inputMargin}, widened by ${recipe.conversion.margin}; on the development questions ${config.outsideIntervals} of ${config.approximatedValues} values are outside.

## Use and limits

${text.limits}

## Data and licence

${text.data}
`;
}

const FORMS: Readonly<Record<keyof Accuracies, string>> = {
  softmax: 'softmax twin, same recipe',
  powerSoftmax: 'PowerSoftmax, as trained',
  polynomial: 'polynomial, as shipped',
};
/** Labels that the card lists one by one. */
const LISTED_LABELS = 30;

function accuracyTable({ accuracy, classes }: ModelConfig): string {
  const forms = [
    ['softmax', accuracy.softmax] as const,
    ['powerSoftmax', accuracy.powerSoftmax] as const,
    ['polynomial', accuracy.polynomial] as const,
  ];
  if (classes === undefined)
    return ['| form | accuracy |', '|---|---|', ...forms.map(([form, share]) => `| ${FORMS[form]} | ${percent(share)} |`)].join('\n');
  const rows = forms.map(([form, share]) => `| ${FORMS[form]} | ${percent(share)} | ${percent(classes.macroF1[form])} |`);
  const { label, share } = classes.mostFrequent;
  return `| form | accuracy | macro-F1 |
|---|---|---|
${rows.join('\n')}

Saying "${label}" every time would be right for ${percent(share)} of them. The polynomial by label:

${labelRows(classes.perLabel)}`;
}

/** Table of the F1 scores of the first labels. */
export function labelRows(perLabel: ClassScores['perLabel']): string {
  const rows = perLabel
    .slice(0, LISTED_LABELS)
    .map(({ label, questions, f1 }) => `| ${label.replaceAll('|', '\\|')} | ${questions} | ${f1 === null ? 'unknown' : percent(f1)} |`);
  const others = perLabel.length - rows.length;
  return ['| label | development questions | F1 |', '|---|---|---|', ...rows, ...(others > 0 ? [`| ${others} others | | |`] : [])].join(
    '\n',
  );
}

function pretrainingLine({ recipe: { pretraining } }: ModelConfig): string {
  if (pretraining === undefined) return '';
  const { epochs, window, negatives } = pretraining;
  return ` The token vectors come from ${epochs} epochs of
  guessing each token of the reviews from up to ${window} neighbours on either side, against ${negatives} drawn at random, and the reviews' verdicts from the same.`;
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
