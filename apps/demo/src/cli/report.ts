import type { Answer } from '../client/encrypted_session.js';
import type { Ranked } from '../client/ranking.js';
import { megabytes } from './display.js';

/** One question: what the session answered, its error, and the set-up before it. */
export interface RunReport extends Pick<Answer, 'refreshes' | 'uploadBytes' | 'downloadBytes' | 'layers'> {
  /** Largest |encrypted - plain| over all logits. */
  readonly maxAbsError: number;
  /** `setup` (server start, keys, their upload) is 0 for warm questions; `total` includes it. */
  readonly latencyMs: Answer['latencyMs'] & { readonly setup: number };
}

/** What `--json` prints: the first question at the top, all of them in `runs`. */
export interface Report extends RunReport {
  readonly model: string;
  readonly input: string;
  readonly encrypted: readonly Ranked[];
  readonly plain: readonly Ranked[];
  readonly params: { readonly polyModulusDegree: number; readonly coeffModulusBits: readonly number[]; readonly securityBits: number };
  readonly engine: string;
  readonly threads: number;
  readonly evaluationKeyBytes: number;
  readonly setupMs: { readonly server: number; readonly keys: number; readonly upload: number };
  readonly runs: readonly RunReport[];
}

/** The report for people. */
export function reportText(report: Report): string {
  const { params, setupMs, runs } = report;
  const bits = params.coeffModulusBits;
  return [
    report.input,
    '',
    ...table([
      ['', 'decrypted', '', 'plaintext polynomial', ''],
      ...report.encrypted.map((row, i) => [
        `${i + 1}.`,
        row.label,
        percent(row.score),
        report.plain[i]?.label ?? '',
        percent(report.plain[i]?.score ?? 0),
      ]),
    ]),
    '',
    `largest absolute error of the logits: ${errorText(report.maxAbsError)}`,
    '',
    ...table([
      ['layer', 'levels', 'ms'],
      ...report.layers.map((layer) => [layer.name, `${layer.fromLevel} to ${layer.toLevel}`, layer.ms.toFixed(0)]),
    ]),
    '',
    ...table([['question', 'encrypt', 'evaluate', 'refresh', 'decrypt', 'total ms'], ...runs.map(latencyRow)]),
    `setup: server ${seconds(setupMs.server)}, keys ${seconds(setupMs.keys)}, upload ${seconds(setupMs.upload)}`,
    '',
    `traffic: ${megabytes(report.evaluationKeyBytes)} of evaluation keys once; per question ${megabytes(report.uploadBytes)} up, ${megabytes(report.downloadBytes)} down, ${report.refreshes} refreshes`,
    `parameters: N = ${params.polyModulusDegree}, ${bits.length} primes of ${bits.join(', ')} bits (${bits.reduce((a, b) => a + b, 0)}), ${params.securityBits}-bit security, engine ${report.engine}, ${report.threads} ${report.threads === 1 ? 'thread' : 'threads'}`,
    ...(report.engine === 'mock' ? ['engine mock imitates the arithmetic: nothing was secret'] : []),
    '',
  ].join('\n');
}

function errorText(error: number): string {
  return error === 0 ? 'none that float32 shows' : `${error.toExponential(2)} (${(-Math.log2(error)).toFixed(1)} bits)`;
}

function latencyRow({ latencyMs: { setup, encrypt, evaluate, refresh, decrypt, total } }: RunReport, index: number): string[] {
  const times = [encrypt, evaluate, refresh, decrypt, total - setup].map((ms) => ms.toFixed(0));
  return [index === 0 ? '1 (cold)' : `${index + 1} (warm)`, ...times];
}

/** Columns as wide as their widest cell, numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const columns = rows[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)));
  const numeric = widths.map((_, c) => rows.slice(1).every((row) => /^[\d.]+( %)?$/.test(row[c] ?? '')));
  return rows.map((row) =>
    row
      .map((cell, c) => (numeric[c] === true ? cell.padStart(widths[c] ?? 0) : cell.padEnd(widths[c] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

function percent(score: number): string {
  return `${(100 * score).toFixed(2)} %`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
