import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UsageError } from '../errors.js';
import { requiredOption } from './arguments.js';

/** The folder of `--out`, see {@link requireFolder}. @throws UsageError */
export async function outFolder(cwd: string, value: string | boolean | undefined): Promise<string> {
  const out = resolve(cwd, requiredOption('out', value, 'the folder to write to'));
  await requireFolder(out);
  return out;
}

/**
 * Whether a command can write its result to a folder, asked before its work and not after.
 *
 * @throws UsageError where there is a file, or inside of one, or where the system would refuse
 */
export async function requireFolder(out: string): Promise<void> {
  const nearest = await nearestPresent(out);
  const found = await stat(nearest);
  if (!found.isDirectory()) {
    throw new UsageError(nearest === out ? `--out ${out} is a file: name a folder.` : `--out ${out} lies in a file: name a folder.`, {
      out,
    });
  }
  await access(nearest, constants.W_OK).catch(() => {
    throw new UsageError(`--out ${out} cannot be written to: name another folder, or change the permissions of ${nearest}.`, { out });
  });
}

/** The path, or the part of it that is there. */
async function nearestPresent(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined || dirname(path) === path ? path : nearestPresent(dirname(path));
}
