import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Writes several files to a folder, which is made if it does not exist. All are written under other names before the first replaces an older
 * one, so a failure leaves nothing half-written.
 */
export async function writeTogether(folder: string, contents: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const partOf = (name: string): string => join(folder, `${name}.part`);
  await mkdir(folder, { recursive: true });
  try {
    for (const [name, content] of Object.entries(contents)) await writeFile(partOf(name), content);
    for (const name of Object.keys(contents)) await rename(partOf(name), join(folder, name));
  } catch (error) {
    for (const name of Object.keys(contents)) await rm(partOf(name), { force: true });
    throw error;
  }
}
