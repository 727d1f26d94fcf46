import type { HeMetadata } from '../../pretrained/config.js';
import { approximationRows, percent } from '../card.js';
import type { TrainedStoryConfig } from './story_artefacts.js';

/** Model card of the language model, in Markdown; every figure comes from the arguments. */
export function storyCard(config: TrainedStoryConfig, he: HeMetadata): string {
  const { architecture: a, recipe, loss, sameTop1, parameters, heldOutTokens } = config;
  return `# ${config.name}

Continues short children's stories, token by token. The server's part is a polynomial, so that it can run on encrypted input. It is stories260K (Karpathy's
llama2.c) with PowerSoftmax in place of softmax, trained further.

## Loss

Mean cross-entropy in nats a token over ${heldOutTokens} tokens of text that the original wrote under a seed not used for training, in windows of ${recipe.tokens} tokens:

| form | loss | above the original |
|---|---|---|
| original, softmax | ${loss.softmax.toFixed(4)} | |
| PowerSoftmax, as trained | ${loss.powerSoftmax.toFixed(4)} | ${(loss.powerSoftmax - loss.softmax).toFixed(4)} |
| polynomial, as shipped | ${loss.polynomial.toFixed(4)} | ${(loss.polynomial - loss.softmax).toFixed(4)} |

The likeliest next token as shipped is that of the trained form for ${percent(sameTop1.powerSoftmax)} of the tokens, and that of the original for ${percent(sameTop1.softmax)}.

Reproduce with seed ${recipe.seed}:

    npm run train -w he-models -- stories260k --data DIR

## Model

- Client, in the clear: byte-pair tokenizer with ${a.vocabulary} pieces, token embedding; ${parameters.client} weights.
- Server, on ciphertexts: ${a.layers} pre-norm blocks with ${a.heads} heads of ${a.features / a.heads} (${a.keyValueHeads} of keys and values), rotary positions, causal PowerSoftmax with p = ${recipe.p},
  RMSNorm and a SwiGLU network of ${a.hidden}; ${parameters.server} weights. It reads one token at a time (\`[1, 1, ${a.features}]\`), keeps keys and values of the last ${recipe.tokens} as ciphertexts, and gives the logits of the next
  one (\`[1, 1, ${a.vocabulary}]\`), of which the client takes the likeliest and sends it. A run over a whole context of ${recipe.tokens} is ${he.depth} levels deep.
- Training: the original's weights to begin with; ${recipe.epochs * recipe.stepsPerEpoch} steps of ${recipe.batchSize} windows, towards the original's distributions and residual streams (distillation), with a loss that keeps the inputs of the three kinds of
  non-polynomial functions in narrow ranges. Unlike the original, projections have biases, and the epsilons of the normalisations are about ${recipe.normEpsilonShare} of the mean squares there.

| site | function | interval | degree | depth | max error |
|---|---|---|---|---|---|
${approximationRows(he)}

Errors are relative for reciprocal and rsqrt, absolute for silu. Intervals are what ${recipe.conversion.calibrationWindows} windows of training text reach, widened by a margin (config.json); on the held-out text
${config.outsideIntervals} of ${config.approximatedValues} values are outside.

## Use and limits

For showing and measuring encrypted language models. It knows ${a.vocabulary} pieces and the plots of small children's stories, and a token sees itself and the ${recipe.tokens - 1} before it.
A prompt is read token by token, so its tokens cost as much as new ones.

## Data and licence

Trained on text written by [stories260K](https://huggingface.co/karpathy/tinyllamas) (Andrej Karpathy, MIT) and a sample of
[TinyStories](https://huggingface.co/datasets/roneneldan/TinyStories) (Eldan and Li 2023, CDLA-Sharing-1.0). The tokenizer and the embedding are stories260K's (MIT). The weights are under Apache-2.0.
`;
}
