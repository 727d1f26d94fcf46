/** `plaintext`: tensors are what the tests make them; `encrypted`: every float32 tensor is encrypted. */
export type Mode = 'plaintext' | 'encrypted';

/** What one mode's run of tfjs-core's tests came to. */
export interface Report {
  readonly mode: Mode;
  /** Tests of the suites chosen, marked as pending by tfjs or not. */
  readonly total: number;
  readonly passed: number;
  readonly failed: readonly { readonly test: string; readonly message: string }[];
  /** Marked as pending by tfjs itself. */
  readonly pending: number;
  readonly excluded: readonly { readonly reason: string; readonly tests: number }[];
  /** Exclusions that match no test any more, or with --audit tests that pass although they are excluded. */
  readonly stale: readonly string[];
  /** Results that came out of a run of an encrypted program. */
  readonly decryptions: number;
  readonly seconds: number;
}

const WANTED = 0.97;

/** Whether the report is what CI wants: no failure, no stale exclusion, and in plaintext at least 97 % of all tests passed. */
export function isGood({ mode, total, passed, failed, stale }: Report): boolean {
  return failed.length === 0 && stale.length === 0 && total > 0 && (mode === 'encrypted' || passed >= WANTED * total);
}

/** The report for people. */
export function reportText({ mode, total, passed, failed, pending, excluded, stale, decryptions, seconds }: Report): string {
  const lines = [
    `${mode}: ${passed} of ${total} tests passed (${((100 * passed) / total).toFixed(1)} %), ${failed.length} failed, ${pending} pending in tfjs-core, ${excluded.reduce((sum, { tests }) => sum + tests, 0)} excluded; ${decryptions} results decrypted; ${seconds.toFixed(0)} s`,
    ...excluded.map(({ reason, tests }) => `  excluded ${String(tests).padStart(4)}: ${reason}`),
    ...stale.map((text) => `  STALE exclusion: ${text}`),
    ...failed.map(({ test, message }) => `  FAILED ${test}\n    ${message}`),
  ];
  return lines.join('\n');
}
