import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** What the user means by a model: a folder is taken from where the user stands, anything else as it is. */
export async function modelArgument(cwd: string, model: string): Promise<string> {
  const folder = resolve(cwd, model);
  const found = await stat(join(folder, 'config.json')).catch(() => undefined);
  return found?.isFile() === true ? folder : model;
}
