import { copyFile, lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OutputError } from './errors.js';

/**
 * Writes several files to a folder, which is made if it does not exist: all or none. All are written under other names before the first replaces an
 * older one. After a failure older files are as they were, and a folder that was made is gone.
 *
 * @throws OutputError where the system refuses
 */
export async function writeTogether(folder: string, contents: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const names = Object.keys(contents);
  const path = (name: string, suffix = ''): string => join(folder, `${name}${suffix}`);
  const replaced: string[] = [];
  let made: string | undefined;
  try {
    made = await mkdir(folder, { recursive: true });
    for (const [name, content] of Object.entries(contents)) await writeFile(path(name, PART), content);
    for (const name of names) {
      await keep(path(name), path(name, KEPT));
      replaced.push(name);
      await rename(path(name, PART), path(name));
    }
  } catch (error) {
    for (const name of replaced) await restore(path(name), path(name, KEPT));
    for (const name of names) await remove(path(name, PART));
    if (made !== undefined) await rm(made, { recursive: true, force: true });
    throw refused(folder, error);
  }
  for (const name of names) await remove(path(name, KEPT));
}

/** Writes one file, whole or not at all; its folder is made if it does not exist. @throws OutputError where the system refuses */
export async function writeWhole(folder: string, name: string, content: Uint8Array | string): Promise<void> {
  const part = join(folder, `${name}${PART}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(part, content);
    await rename(part, join(folder, name));
  } catch (error) {
    await remove(part);
    throw refused(folder, error);
  }
}

const PART = '.part';
const KEPT = '.kept';

/** Of help only: it may not be there, nor its folder. */
async function remove(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => {});
}

/** Keeps what is to be replaced, if there is anything, until all of it is. */
async function keep(path: string, kept: string): Promise<void> {
  if ((await lstat(path).catch(() => undefined)) !== undefined) await copyFile(path, kept);
}

/** The state before {@link keep}. */
async function restore(path: string, kept: string): Promise<void> {
  const found = await lstat(kept).catch(() => undefined);
  if (found === undefined) await rm(path, { force: true });
  else await rename(kept, path);
}

function refused(folder: string, error: unknown): OutputError {
  const reason = error instanceof Error ? error.message : String(error);
  return new OutputError(`Cannot write to ${folder} (${reason}): check that it is a folder, its permissions and the space left.`, {
    folder,
  });
}
