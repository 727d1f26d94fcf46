import type { RunReport } from './encrypted_run.ts';
import { decide, type Example } from './example.ts';
import { findExample } from './examples.ts';

/** The report for people: every answer beside the one in the clear, then the figures. */
export function reportText(report: RunReport): string {
  const { classes } = findExample(report.name);
  const { profile, engine, bits, agreement, answers } = report;
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
  return [
    '',
    ...answers.map(
      ({ label, decrypted, plain, ms }, i) =>
        `question ${i + 1}: decrypted ${name(decrypted, classes)}, in the clear ${name(plain, classes)}, true ${label} (${seconds(ms)})`,
    ),
    '',
    `agreement   ${bits.toFixed(1)} bits, same class for ${Math.round(100 * agreement)} % of ${answers.length}`,
    `parameters  ring degree ${profile.polyModulusDegree}, modulus ${profile.totalBits} bits, ${profile.securityBits}-bit security, engine ${engine}`,
    `refreshes   ${profile.refreshes === 0 ? 'none' : `${profile.refreshes} in ${profile.segments - 1} rounds`}`,
    `latency     ${seconds(report.coldMs)} cold, ${seconds(report.warmMs)} warm; compiling ${seconds(report.compileMs)}, keys ${seconds(report.keysMs)}`,
    ...(engine === 'mock' ? ['engine mock imitates the arithmetic: nothing was secret'] : []),
  ].join('\n');
}

function name(scores: readonly number[], classes: Example['classes']): string {
  return classes[decide(scores)] ?? '?';
}

/** The same for programs, on one line; the profile without its layers. */
export function reportJson({ profile: { layers: _, ...profile }, ...report }: RunReport): string {
  return JSON.stringify({ ...report, profile });
}
