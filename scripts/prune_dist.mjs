// Removes from ./dist what no source stands behind any more: tsc leaves the output of renamed modules, and npm would ship it.
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

const COMPILED = /(?:\.d\.ts|\.js)(?:\.map)?$/;

/** Whether a source of the package in the working directory gives `file`, a path inside dist. */
function hasSource(file) {
  const [folder, model] = file.split(sep);
  if (folder === 'assets') return existsSync(join('models', model));
  return existsSync(join('src', COMPILED.test(file) ? file.replace(COMPILED, '.ts') : file));
}

for (const entry of await readdir('dist', { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  const file = relative('dist', path);
  if (entry.isFile() && !file.endsWith('.tsbuildinfo') && !hasSource(file)) await rm(path);
}
