/**
 * tfjs-core's own tests on the backend `he`, with plaintext and with encrypted tensors: `npm run test:tfjs -w tfjs-he-backend [-- --json]`. With --audit, the
 * excluded tests instead: it fails when one of them passes.
 */
import { fork } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bundle } from './bundle.ts';
import { isGood, type Mode, type Report, reportText } from './report.ts';

const here = fileURLToPath(new URL('.', import.meta.url));
const HELP = `npm run test:tfjs -w tfjs-he-backend -- [options]

Runs tfjs-core's own tests on the backend he: all with plaintext tensors, then those of encrypted kernels with every float32 tensor encrypted on mock.

  --audit   runs the tests excluded in encrypted mode instead, and fails where one of them passes
  --json    one JSON object a mode
  --help    show this`;

const { json, audit, help } = options();
if (help) {
  console.log(HELP);
  process.exit();
}

function options(): { readonly json: boolean; readonly audit: boolean; readonly help: boolean } {
  const off = { type: 'boolean', default: false } as const;
  try {
    return parseArgs({ options: { json: off, audit: off, help: off } }).values;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    process.exit(2);
  }
}

function run(mode: Mode, file: string): Promise<Report> {
  return new Promise((resolve, reject) => {
    // What the tests print is theirs to check.
    const child = fork(join(here, 'child.ts'), [file, mode, ...(audit ? ['--audit'] : [])], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let errors = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString();
    });
    let report: Report | undefined;
    child.on('message', (message: Report) => {
      report = message;
    });
    child.on('exit', (code) =>
      report === undefined ? reject(new Error(`${mode} tests ended with ${code}: ${errors.slice(-2000)}`)) : resolve(report),
    );
  });
}

// Inside of the package, so that node-seal is found, where git does not look.
const cache = join(here, '../node_modules/.cache');
await mkdir(cache, { recursive: true });
const folder = await mkdtemp(join(cache, 'test-tfjs-'));
try {
  const file = join(folder, 'suite.mjs');
  await bundle(file);
  const reports: Report[] = [];
  for (const mode of ['plaintext', 'encrypted'] as const) {
    const report = await run(mode, file);
    reports.push(report);
    console.log(json ? JSON.stringify(report) : reportText(report, audit));
  }
  process.exitCode = reports.every((report) => (audit ? report.stale.length === 0 : isGood(report))) ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}
