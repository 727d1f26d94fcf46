import type { ConversionReport } from '../convert/report.js';
import type { CommandContext } from './command.js';

/** A checkpoint's report for people. */
export function printReport(report: ConversionReport, print: CommandContext['print']): void {
  const { layers, features } = report.sizes;
  print(`architecture   ${report.architecture}: layers ${layers}, features ${features}, tokens ${report.tokens}`);
  for (const change of report.changed) print(`changed        ${change}`);
  for (const { site, function: kind } of report.notPolynomial) print(`not polynomial ${site}: ${kind}, interval unknown until calibrated`);
  for (const need of report.needs) print(`needs          ${need}`);
}
