// Entry point of the root npm scripts. Runs on any Node >= 20 with nothing installed: installs from the lockfile when that is due, then
// hands over to tools that run on the Node 24 which the root depends on (node_modules/.bin comes first on their PATH).
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const parent = process.ppid;
const onWindows = process.platform === 'win32';
const node = join(root, 'node_modules', 'node', 'bin', onWindows ? 'node.exe' : 'node');

const TASKS = {
  build: (args) => turbo(['build', ...args]),
  typecheck: (args) => turbo(['typecheck', ...args]),
  lint: (args) => run('biome', ['check', '.', ...args]),
  test: (args) => turbo(['test', 'test:browser', 'test:packages', '--output-logs=new-only', ...args]),
  example: async (args) => (await build()) || run(node, ['--no-warnings', join('examples', 'src', 'main.ts'), ...args]),
  bench: async (args) => (await build()) || run(node, [join('bench', 'src', 'main.ts'), ...args]),
  'bench:peers': async (args) =>
    (await build()) || run(node, ['--no-warnings', join('packages', 'tfjs-he-backend', 'bench', 'peers', 'main.ts'), ...args]),
  'pack:check': (args) => turbo(['test:packages', ...args]),
  start: async (args) => (await build()) || run(node, ['--no-warnings', join('apps', 'demo', 'dist', 'cli.js'), ...args]),
};

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) fail(`Node >= 20 is needed to set up this repository; this is ${process.version}`);

const [name, ...rest] = process.argv.slice(2);
const task = TASKS[name] ?? fail(`unknown task '${name}'; known: ${Object.keys(TASKS).join(', ')}`);
if (!isInstalled()) await install();
process.exitCode = await task(rest[0] === '--' ? rest.slice(1) : rest);

/** Whether what npm says it installed is what the lockfile wants; optional packages (other platforms') may be missing. */
function isInstalled() {
  const [wanted, installed] = [join(root, 'package-lock.json'), join(root, 'node_modules', '.package-lock.json')].map(packagesOf);
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    const found = installed[path];
    if (!path.includes('node_modules/') || optional || devOptional) return true;
    return found !== undefined && found.version === version && found.integrity === integrity;
  });
}

function packagesOf(lockfile) {
  return existsSync(lockfile) ? JSON.parse(readFileSync(lockfile, 'utf8')).packages : {};
}

async function install() {
  console.error('installing dependencies (once) ...');
  // Not `npm ci`: it refuses a lockfile without the binaries of every platform, which a registry need not offer. This keeps to the lockfile too.
  const code = await run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true });
  if (code !== 0) fail('npm install failed: see above');
  if (!existsSync(node)) fail('npm did not run the install script of the package `node`: allow it and run npm install');
}

/** Builds and says nothing unless that fails: the task's own output is what the user asked for. */
async function build() {
  const patience = setTimeout(() => console.error('building ...'), 2000);
  const code = await turbo(['build', '--output-logs=errors-only'], { onlyErrors: true });
  clearTimeout(patience);
  return code;
}

function turbo(args, options) {
  return run('turbo', ['run', ...args], options);
}

/**
 * Runs a command and resolves to its exit code. Nothing outlives this process, or the npm that started it: their end is passed on and waited for.
 * `quiet` sends stdout to stderr; `onlyErrors` does so when the command fails and drops everything else.
 */
function run(command, args, { quiet = false, onlyErrors = false } = {}) {
  const child = spawn(command, args, {
    cwd: root,
    shell: onWindows && command !== node,
    stdio: onlyErrors ? ['ignore', 'pipe', 'pipe'] : quiet ? ['ignore', 2, 2] : 'inherit',
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
      TURBO_TELEMETRY_DISABLED: '1',
      TURBO_NO_UPDATE_NOTIFIER: '1',
      DO_NOT_TRACK: '1',
    },
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
  const terminate = () => child.kill('SIGTERM');
  const wait = () => {}; // Ctrl-C goes to the whole group: the child has got it too
  process.on('SIGTERM', terminate).on('SIGINT', wait);
  // The shell that npm puts between does not pass on its own end.
  const orphaned = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(orphaned);
    terminate();
  }, 500);
  return new Promise((resolve) => {
    child.once('error', (error) => fail(`cannot run ${command}: ${error.message}`));
    child.once('close', (code, signal) => {
      clearInterval(orphaned);
      process.off('SIGTERM', terminate).off('SIGINT', wait);
      if (code !== 0) process.stderr.write(Buffer.concat(output));
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
