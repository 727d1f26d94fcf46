import type { GenerationConfig, TextConfig } from '../pretrained/config.js';
import type { ConversionReport } from './report.js';

/** Card of a converted checkpoint, in Markdown. */
export function conversionCard({ name, task, labels }: TextConfig | GenerationConfig, report: ConversionReport): string {
  const { features, heads, hidden, layers, vocabulary } = report.sizes;
  const kinds = new Map<string, number>();
  for (const { function: kind } of report.notPolynomial) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return `# ${name}

A checkpoint of \`${report.architecture}\`, converted by \`he-models convert\`. It runs in the clear only: it is not a polynomial yet.

- Task: ${task}${task === 'text-classification' ? `, labels ${labels.join(', ')}` : ''}
- Shape: layers ${layers}, features ${features}, heads ${heads}, hidden units ${hidden}, vocabulary ${vocabulary}, tokens of an input ${report.tokens}
- Attention: ${report.form === 'softmax' ? 'softmax, as trained' : 'PowerSoftmax, not trained yet'}

## Changed

${list(report.changed)}

## Not polynomial

${list([...kinds].map(([kind, count]) => `${kind}: ${count}, each on an interval that calibration will find`))}

## Needs

${list(report.needs)}

## Data and licence

Those of the checkpoint.
`;
}

function list(lines: readonly string[]): string {
  return lines.length === 0 ? 'Nothing.' : lines.map((line) => `- ${line}`).join('\n');
}
