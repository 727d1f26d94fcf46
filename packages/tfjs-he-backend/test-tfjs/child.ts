/** Runs tfjs-core's tests in one mode: `node child.ts BUNDLE MODE [--audit]`; sends its report to the parent process. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { ENCRYPTED_EXCLUSIONS, ENCRYPTED_SUITES, PLAINTEXT_EXCLUSIONS } from './exclusions.ts';
import type { Mode, Report } from './report.ts';

interface SpecResult {
  readonly fullName: string;
  readonly status: string;
  readonly failedExpectations: readonly { readonly message: string }[];
}

interface Jasmine {
  installGlobals(target: object): void;
  readonly jasmine: {
    DEFAULT_TIMEOUT_INTERVAL: number;
    getEnv(): {
      configure(configuration: object): void;
      addReporter(reporter: { specDone(result: SpecResult): void }): void;
      execute(): Promise<unknown>;
    };
  };
}

const { installGlobals, jasmine }: Jasmine = createRequire(import.meta.url)('jasmine-core');
installGlobals(globalThis);
// For machines that do much else.
jasmine.DEFAULT_TIMEOUT_INTERVAL = 60_000;

const [, , bundle = '', argument] = process.argv;
const mode: Mode = argument === 'encrypted' ? 'encrypted' : 'plaintext';
const audit = process.argv.includes('--audit');
const rules = (mode === 'encrypted' ? ENCRYPTED_EXCLUSIONS : PLAINTEXT_EXCLUSIONS).flatMap(({ reason, tests }) =>
  tests.map((part) => ({ reason, part, matches: 0 })),
);
const suites = new Set(Object.values(ENCRYPTED_SUITES).flat());
const suitesWithoutTests = new Set(mode === 'encrypted' ? suites : []);
/** Between the names of suite and test, describeWithFlags puts that of the environment and its flags. */
const ENVIRONMENT = ' he {} ';

const excluded = new Map<string, number>();
let total = 0;
let passed = 0;
let pending = 0;
const failed: { test: string; message: string }[] = [];
const passedInAudit: string[] = [];

function nameOf(fullName: string): string {
  return fullName.replace(ENVIRONMENT, ': ');
}

const seen = new Map<string, number>();

/** The name, with a number from the second test of that name on. */
function uniqueNameOf(fullName: string): string {
  const name = nameOf(fullName);
  const count = (seen.get(name) ?? 0) + 1;
  seen.set(name, count);
  return count === 1 ? name : `${name} #${count}`;
}

function isChosen(spec: { getFullName(): string }): boolean {
  const fullName = spec.getFullName();
  const suite = fullName.split(ENVIRONMENT)[0] ?? '';
  if (mode === 'encrypted' && !suites.has(suite)) return false;
  suitesWithoutTests.delete(suite);
  total++;
  const name = uniqueNameOf(fullName);
  const matching = rules.filter(({ part }) => (part.includes('#') ? name.endsWith(part) : name.includes(part)));
  for (const rule of matching) rule.matches++;
  const [first] = matching;
  if (first !== undefined) excluded.set(first.reason, (excluded.get(first.reason) ?? 0) + 1);
  return audit === (first !== undefined);
}

const env = jasmine.getEnv();
// tfjs-core has tests of the same name.
env.configure({ random: false, forbidDuplicateNames: false, specFilter: isChosen });
env.addReporter({
  specDone({ fullName, status, failedExpectations }) {
    const test = nameOf(fullName);
    if (status === 'passed' && audit) passedInAudit.push(test);
    else if (status === 'passed') passed++;
    else if (status === 'pending') pending++;
    else if (status === 'failed' && !audit) failed.push({ test, message: failedExpectations[0]?.message.split('\n')[0] ?? '' });
  },
});

const start = performance.now();
const { decryptions, givenInTheClear } = await import(pathToFileURL(bundle).href);
await env.execute();
const report: Report = {
  mode,
  total,
  passed,
  failed,
  pending,
  excluded: [...excluded].map(([reason, tests]) => ({ reason, tests })),
  stale: [
    ...rules.filter(({ matches }) => matches === 0).map(({ part }) => `no test matches '${part}'`),
    ...[...suitesWithoutTests].map((suite) => `suite '${suite}' has no tests`),
    ...passedInAudit.map((test) => `passes: ${test}`),
  ],
  decryptions: decryptions(),
  givenInTheClear: givenInTheClear(),
  seconds: (performance.now() - start) / 1000,
};
process.send?.(report);
