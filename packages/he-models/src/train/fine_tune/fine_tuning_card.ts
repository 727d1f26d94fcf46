import { basename } from 'node:path';
import type { HeMetadata } from '../../pretrained/config.js';
import { shellWord } from '../../shell_word.js';
import { approximationRows, labelRows, percent } from '../card.js';
import { commandOf, type TableOptions } from '../train_table.js';
import type { FineTuning } from './fine_tune.js';
import type { TableRows } from './table_rows.js';

/** Model card of a converted checkpoint that was trained on a table, in Markdown, without the part on encrypted runs. */
export function fineTuningCard(
  name: string,
  he: HeMetadata,
  { from, seed, epochs, devQuestions, accuracy, classes, agreement, outsideIntervals, approximatedValues }: FineTuning,
  { train, trainRows, skipped, cutOff, labels }: Pick<TableRows, 'train' | 'trainRows' | 'skipped' | 'cutOff' | 'labels'>,
  { file, columns, balanced, out }: Pick<TableOptions, 'file' | 'columns' | 'balanced' | 'out'>,
): string {
  const table = basename(file);
  const row = (form: 'powerSoftmax' | 'polynomial', says: string): string =>
    `| ${says} | ${percent(accuracy[form])} | ${percent(classes.macroF1[form])} |`;
  const repeats = train.length - trainRows;
  return `# ${name}

Sorts a text into the values of the column ${columns.label} of ${table}: the checkpoint ${from}, trained on that table by \`he-models train --from\`. The server's part is a
polynomial, so that it can run on encrypted input.

## Accuracy

On ${devQuestions} development rows, a stratified tenth of the rows of ${table} that training never saw:

| form | accuracy | macro-F1 |
|---|---|---|
${row('powerSoftmax', 'PowerSoftmax, as trained')}
${row('polynomial', 'polynomial, as shipped')}

Both name the same label for ${percent(agreement.sameTop1)} of them. Saying "${classes.mostFrequent.label}" every time would be right for ${percent(classes.mostFrequent.share)}. The polynomial by label:

${labelRows(classes.perLabel)}

Reproduce with seed ${seed}:

    ${commandOf({ file, columns, out }, { epochs, seed })} --from ${shellWord(from)}${balanced ? '' : ' --no-balance'}

Trained on ${trainRows} rows; ${skipped} were left out for want of a text or a label${repeats > 0 ? `, and rows of rare labels were repeated (${repeats} times in all), so scores do not follow how frequent labels are` : ''}. ${cutOff} texts were cut off.

## Model

- Client, in the clear: the checkpoint's tokenizer and embedding. At most ${he.tokens} tokens. Padding is rows of zeros.
- Server, on ciphertexts: input \`[${he.inputShape.join(', ')}]\`, ${labels.length} logits, ${he.depth ?? 'unknown'} levels deep, values up to 2^${he.parameters.valueBits ?? 'unknown'} at a refresh.

| site | function | interval | degree | depth | max error |
|---|---|---|---|---|---|
${approximationRows(he)}

Errors are relative for reciprocal and rsqrt, absolute for gelu. On the development rows ${outsideIntervals} of ${approximatedValues} values are outside their interval.

## Use and limits

For texts like those of ${table}. It always names one of its labels, also for texts about something else, and its scores are no calibrated probabilities.

## Data and licence

The checkpoint's, and those of ${table}; whoever owns that table says what may be done with the weights.
`;
}
