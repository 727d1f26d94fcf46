// Packs every package, installs the tarballs into an empty project outside the repository, and uses them there as a stranger would.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

const folders = await readdir(join(root, 'packages'));
const manifests = await Promise.all(
  folders.map(async (name) => JSON.parse(await readFile(join(root, 'packages', name, 'package.json'), 'utf8'))),
);
/** Importable names: every key of `exports` but patterns and package.json. */
const specifiers = manifests.flatMap(({ name, exports }) =>
  Object.keys(exports)
    .filter((key) => !key.includes('*') && !key.endsWith('.json'))
    .map((key) => `${name}${key.slice(1)}`),
);

let project;
let tarballs;
before(async () => {
  project = await mkdtemp(join(tmpdir(), 'pack-check-'));
  tarballs = await pack(project);
  await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'stranger', private: true, type: 'module' }));
  const flags = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const install = (specifiers) => execute(npm, ['install', ...flags, ...specifiers], { cwd: project });
  const isLeaf = ({ name }) =>
    !manifests.some((other) => other.name === name && folders.some((folder) => folder in (other.dependencies ?? {})));
  const paths = (list) => list.map(({ filename }) => `./${filename}`);
  // What others depend on comes first, or npm would ask the registry for it. The tfjs packages come as peers; only a backend has to be chosen.
  await install([...paths(tarballs.filter(isLeaf)), '@tensorflow/tfjs-backend-cpu@^4.22.0']);
  await install(paths(tarballs.filter((tarball) => !isLeaf(tarball))));
});
after(() => rm(project, { recursive: true, force: true }));

async function pack(destination) {
  const workspaces = manifests.flatMap(({ name }) => ['-w', name]);
  const { stdout } = await execute(npm, ['pack', '--json', '--ignore-scripts', '--pack-destination', destination, ...workspaces], {
    cwd: root,
  });
  return Object.values(JSON.parse(stdout));
}

test('tarballs hold what package.json promises, and no tests', () => {
  for (const manifest of manifests) {
    const { files } = tarballs.find(({ name }) => name === manifest.name);
    const paths = files.map(({ path }) => path);
    const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
    for (const target of targets.filter((path) => !path.includes('*')))
      assert.ok(paths.includes(target.slice(2)), `${manifest.name} lacks ${target}`);
    for (const name of ['README.md', 'LICENSE']) assert.ok(paths.includes(name), `${manifest.name} lacks ${name}`);
    assert.deepEqual(
      paths.filter((path) => /(^|\/)(test|node_modules)\/|\.tsbuildinfo$/.test(path)),
      [],
    );
  }
});

test('every module in a tarball has its source there', () => {
  for (const { name, files } of tarballs) {
    const paths = new Set(files.map(({ path }) => path));
    const modules = [...paths].filter((path) => /^dist\/(?!assets\/).*\.js$/.test(path));
    assert.ok(modules.length > 0, name);
    assert.deepEqual(
      modules.filter((path) => !paths.has(path.replace(/^dist/, 'src').replace(/js$/, 'ts'))),
      [],
    );
  }
});

test('the weights of all models take at most 25 MB', () => {
  const { files } = tarballs.find(({ name }) => name === 'he-models');
  const base64 = files.filter(({ path }) => path.startsWith('dist/assets/')).reduce((sum, { size }) => sum + size, 0);
  const bytes = (base64 * 3) / 4;
  assert.ok(bytes > 0 && bytes <= 25e6, `${bytes} bytes`);
});

test('one copy of each package and of tfjs is installed', async () => {
  const { stdout } = await execute(npm, ['ls', '--all', '--json'], { cwd: project });
  const versions = new Map();
  const visit = ({ dependencies = {} }) => {
    for (const [name, node] of Object.entries(dependencies)) {
      if (name.startsWith('@tensorflow/') || folders.includes(name))
        versions.set(name, new Set([...(versions.get(name) ?? []), node.version]));
      visit(node);
    }
  };
  visit(JSON.parse(stdout));
  for (const name of [...folders, '@tensorflow/tfjs-core', '@tensorflow/tfjs-layers']) assert.equal(versions.get(name)?.size, 1, name);
});

for (const specifier of specifiers) {
  test(`${specifier} imports cleanly in Node`, async () => {
    const code = `const names = Object.keys(await import('${specifier}')); if (names.length === 0) throw new Error('exports nothing');`;
    const { stdout, stderr } = await execute(process.execPath, ['--input-type=module', '--eval', code], { cwd: project });
    assert.deepEqual({ stdout, stderr }, { stdout: '', stderr: '' });
  });
}

test('the command explains training, and names the package that it lacks here', async () => {
  const command = join(project, 'node_modules', 'he-models', 'dist', 'cli', 'main.js');
  const start = (...args) => execute(process.execPath, [command, ...args], { cwd: project });
  for (const name of ['train', 'convert']) assert.match((await start(name, '--help')).stdout, /^Usage: /, name);
  await writeFile(join(project, 'table.csv'), `text,label\n${Array.from({ length: 40 }, (_, i) => `letter ${i},${i % 2}`).join('\n')}\n`);
  const training = start('train', '--task', 'text-classification', '--train', 'table.csv', '--out', 'trained');
  await assert.rejects(training, { code: 1, stderr: /^error: .*: npm install @tensorflow\/tfjs-backend-wasm\n$/ });
});

test('the examples of the README run in the empty project and print what they should', async () => {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const [classification, inference, powerSoftmax] = [...readme.matchAll(/```js\n(.*?)```/gs)].map(([, code]) => code);
  const question = inference.match(/embed\('(.*?)'\)/)[1];
  const plain = await run('plain.js', PLAIN.replace('QUESTION', JSON.stringify(question)));
  assert.ok((await run('classification.js', classification)).includes(`label: '${plain}'`));
  assert.equal((await run('inference.js', inference)).split('\n').at(-1), plain);
  assert.ok((await run('power_softmax.js', powerSoftmax)).includes(powerSoftmax.match(/\/\/ (\[.*\])\n/)[1]));
});

/** Runs a module in the project and returns what it prints. */
async function run(name, code) {
  const file = join(project, name);
  await writeFile(file, code);
  const { stdout } = await execute(process.execPath, [file], { cwd: project });
  return stdout.trim();
}

const PLAIN = `
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { fromPretrained } from 'he-models';
const { embed, inputShape, labels, model } = await fromPretrained('power-banking77');
console.log(labels[tf.argMax(model.predict(tf.tensor(embed(QUESTION), inputShape)), -1).dataSync()[0]]);
`;

for (const [moduleResolution, module] of [
  ['nodenext', 'nodenext'],
  ['bundler', 'esnext'],
]) {
  test(`types resolve with moduleResolution ${moduleResolution}`, async () => {
    const folder = join(project, `types-${moduleResolution}`);
    await mkdir(folder);
    const imports = specifiers.map((specifier, i) => `import * as m${i} from '${specifier}';`);
    // An import whose types are missing would be 'any', to which anything can be assigned.
    const uses = specifiers.map((_, i) => `const known${i}: 0 extends 1 & typeof m${i} ? never : true = true;`);
    await writeFile(
      join(folder, 'use.ts'),
      [...imports, ...uses, `console.log(${specifiers.map((_, i) => `known${i}`).join(', ')});`].join('\n'),
    );
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable', 'dom'],
      types: [],
      strict: true,
      noEmit: true,
      skipLibCheck: true,
    };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['use.ts'] }));
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    await execute(process.execPath, [tsc, '-p', folder], { cwd: folder }).catch(({ stdout }) => assert.fail(stdout));
  });
}
