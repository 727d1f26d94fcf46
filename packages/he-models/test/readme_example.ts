import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));
const run = promisify(execFile);

/** The README's code block that holds a text. */
export async function readmeExample(part: string): Promise<string> {
  const readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
  return [...readme.matchAll(/```js\n(.*?)```/gs)].find(([, code]) => code?.includes(part))?.[1] ?? '';
}

/** What code that imports this package, as built, prints. */
export async function printedBy(code: string): Promise<string> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code], { cwd: packageRoot });
  return stdout;
}
