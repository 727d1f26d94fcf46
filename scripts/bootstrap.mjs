// Entry point of the root npm scripts. Runs on any Node >= 20 with nothing installed: installs from the lockfile when that is due, then
// hands over to turbo, whose tasks run on the Node 24 that the root depends on (node_modules/.bin comes first on npm's PATH).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const stamp = join(root, 'node_modules', '.bootstrap-lock-hash');
const onWindows = process.platform === 'win32';

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) fail(`Node >= 20 is needed to set up this repository; this is ${process.version}`);

const [task, ...rest] = process.argv.slice(2);
const args = rest[0] === '--' ? rest.slice(1) : rest;

ensureInstalled();
const exitCode = runTask(task, args);
process.exit(exitCode);

function runTask(name, taskArgs) {
  switch (name) {
    case 'build':
    case 'typecheck':
    case 'lint':
      return name === 'lint' ? run('biome', ['check', '.', ...taskArgs]) : turbo([name, ...taskArgs]);
    case 'test':
      return turbo(['test', '--output-logs=new-only', ...taskArgs]);
    case 'pack:check':
      return build() || run('node', [join('scripts', 'pack-check.mjs'), ...taskArgs]);
    case 'bench':
      return build() || run('node', [join('bench', 'src', 'main.ts'), ...taskArgs]);
    case 'start':
      return build() || run('node', [join('apps', 'demo', 'dist', 'cli.js'), ...taskArgs]);
    default:
      fail(`unknown task '${name}'; known: build, typecheck, lint, test, bench, start, pack:check`);
  }
}

function ensureInstalled() {
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  console.error('installing dependencies (once) ...');
  const code = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'inherit-stderr');
  if (code !== 0) fail('npm ci failed');
  writeFileSync(stamp, hash);
}

/** Builds quietly: the caller's own output is what the user asked for. */
function build() {
  return turbo(['build', '--output-logs=errors-only'], 'inherit-stderr');
}

function turbo(turboArgs, stdio) {
  return run('turbo', ['run', ...turboArgs], stdio);
}

function run(command, commandArgs, stdio = 'inherit') {
  const path = `${bin}${delimiter}${process.env.PATH ?? ''}`;
  const result = spawnSync(command, commandArgs, {
    cwd: root,
    shell: onWindows,
    stdio: stdio === 'inherit-stderr' ? ['ignore', 2, 2] : 'inherit',
    env: { ...process.env, PATH: path, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1', DO_NOT_TRACK: '1' },
  });
  if (result.error) fail(`cannot run ${command}: ${result.error.message}`);
  return result.status ?? 1;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
