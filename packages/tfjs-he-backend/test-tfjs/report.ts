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
  /** Exclusions that match no test any more, suites that have none, or with --audit tests that pass although they are excluded. */
  readonly stale: readonly string[];
  /** Results that came out of a run of an encrypted program. */
  readonly decryptions: number;
  /** Calls of kernels with an encrypted input that was decrypted for them, as a client would have to give it. */
  readonly givenInTheClear: readonly { readonly what: string; readonly calls: number }[];
  readonly seconds: number;
}

/** Share of tests that pass, by mode. */
const WANTED: Readonly<Record<Mode, number>> = { plaintext: 0.97, encrypted: 0.9 };
/** Fewer would mean that tensors of the encrypted mode are not encrypted. */
const WANTED_DECRYPTIONS = 1000;

/** Whether the report is what CI wants: no failure, no stale exclusion, nearly all tests passed, and in encrypted mode on results that were decrypted. */
export function isGood({ mode, total, passed, failed, stale, decryptions }: Report): boolean {
  if (mode === 'encrypted' && decryptions < WANTED_DECRYPTIONS) return false;
  return failed.length === 0 && stale.length === 0 && total > 0 && passed >= WANTED[mode] * total;
}

/** The report for people; of an audit, in which only the excluded tests ran. */
export function reportText(report: Report, audit: boolean): string {
  const { mode, total, passed, failed, pending, excluded, stale, decryptions, givenInTheClear, seconds } = report;
  const left = excluded.reduce((sum, { tests }) => sum + tests, 0);
  const head = audit
    ? `${mode}: ${left} excluded tests of ${total} run, ${stale.length} exclusions stale; ${seconds.toFixed(0)} s`
    : `${mode}: ${passed} of ${total} tests passed (${((100 * passed) / total).toFixed(1)} %), ${failed.length} failed, ${pending} pending in tfjs-core, ${left} excluded; ${decryptions} results decrypted; ${seconds.toFixed(0)} s`;
  return [
    head,
    ...excluded.map(({ reason, tests }) => `  excluded ${String(tests).padStart(4)}: ${reason}`),
    ...givenInTheClear.map(({ what, calls }) => `  in the clear ${String(calls).padStart(4)} times: ${what}`),
    ...stale.map((text) => `  STALE: ${text}`),
    ...failed.map(({ test, message }) => `  FAILED ${test}\n    ${message}`),
  ].join('\n');
}
