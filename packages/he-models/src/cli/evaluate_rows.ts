import { percent } from '../train/card.js';
import type { AgreementReport } from '../use/agreement.js';
import type { GenerationReport } from '../use/generation_agreement.js';
import { shownEvaluator } from './evaluator_options.js';

type Rows = readonly (readonly [string, string])[];

/** A report for people. */
export function printReport(print: (line: string) => void, report: AgreementReport | GenerationReport): void {
  const rows = [...('inputs' in report ? agreementRows(report) : generationRows(report)), ...costRows(report)];
  for (const [name, text] of rows) print(`${name.padEnd(12)} ${text}`);
}

function agreementRows(report: AgreementReport): Rows {
  return [
    ['inputs', `${report.inputs}, fhe: ${report.fhe}`],
    ['same top-1', `${percent(report.sameTop1)} as the clear polynomial`],
    ['accuracy', `${percent(report.accuracy)} encrypted, ${percent(report.clearAccuracy)} in the clear`],
  ];
}

function generationRows(report: GenerationReport): Rows {
  const how = report.cached ? 'keys and values kept at the server' : 'the whole context for every token';
  return [
    ['tokens', `${report.read} compared, of ${textsOf(report)}, fhe: ${report.fhe}, ${how}`],
    ['same top-1', `${percent(report.sameTop1)} as the clear polynomial`],
    [
      'continuation',
      `${report.sameWritten} of ${report.written} tokens as in the clear: ${JSON.stringify(report.prompt + report.continuation)}`,
    ],
  ];
}

function textsOf({ texts }: GenerationReport): string {
  return texts === 0 ? 'the continuation alone' : `${texts} ${texts === 1 ? 'text' : 'texts'} and a continuation`;
}

/** What an input takes, or a token of a language model. */
function costRows(report: AgreementReport | GenerationReport): Rows {
  const { mse, maxDifference, bits, leastBits, parameters } = report;
  return [
    [
      'difference',
      `mean squared ${mse.toExponential(1)}, largest ${maxDifference.toExponential(1)}, ${bits.toFixed(1)} bits (least ${leastBits.toFixed(1)})`,
    ],
    ['parameters', `ring degree ${parameters.polyModulusDegree}, ${parameters.coeffModulusBits.join(' + ')} bits`],
    ['evaluator', shownEvaluator(report)],
    ['refreshes', `${report.refreshes} ciphertexts in ${report.refreshRounds} rounds`],
    ['setup', `${seconds(report.setupMs)} to load, compile, make keys and encode constants`],
    ['latency', `${seconds(report.coldMs)} cold, ${seconds(report.totalMs)} warm (${seconds(report.refreshMs)} at the client)`],
    ['traffic', `keys ${megabytes(report.keyBytes)}, up ${megabytes(report.uploadBytes)}, down ${megabytes(report.downloadBytes)}`],
  ];
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
