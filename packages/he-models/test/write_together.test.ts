import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { requireFolder } from '../src/cli/out_folder.js';
import { OutputError, UsageError } from '../src/errors.js';
import { writeTogether, writeWhole } from '../src/write_together.js';
import { withFolder } from './temporary_folder.js';

const textOf = (...path: string[]) => readFile(join(...path), 'utf8');

describe('writeTogether', () => {
  test('makes the folder, replaces files and leaves others alone', async () => {
    await withFolder(async (root) => {
      const folder = join(root, 'a', 'b');
      await writeTogether(folder, { x: 'one', y: 'two' });
      await writeTogether(folder, { y: 'three', z: Uint8Array.of(52) });
      expect((await readdir(folder)).sort()).toEqual(['x', 'y', 'z']);
      expect([await textOf(folder, 'x'), await textOf(folder, 'y'), await textOf(folder, 'z')]).toEqual(['one', 'three', '4']);
    });
  });

  test('changes nothing when the last file cannot be replaced', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'older'), 'as it was');
      await mkdir(join(folder, 'folder'));
      await writeFile(join(folder, 'folder', 'inside'), 'mine');
      await expect(writeTogether(folder, { older: 'replaced', new: 'new', folder: 'in the way' })).rejects.toThrow(OutputError);
      expect((await readdir(folder)).sort()).toEqual(['folder', 'older']);
      expect([await textOf(folder, 'older'), await textOf(folder, 'folder', 'inside')]).toEqual(['as it was', 'mine']);
    });
  });

  test('removes the folders that it made when a file cannot be written', async () => {
    await withFolder(async (root) => {
      await expect(writeTogether(join(root, 'a', 'b'), { x: 'one', 'none/y': 'two' })).rejects.toThrow(OutputError);
      expect(await readdir(root)).toEqual([]);
    });
  });

  test.each([['a file'], ['a file', 'folder']])('says in one line that there is %s %s', async (...names) => {
    await withFolder(async (root) => {
      await writeFile(join(root, 'a file'), 'as it was');
      const failed = writeTogether(join(root, ...names), { x: 'one' });
      await expect(failed).rejects.toMatchObject({ code: 'OUTPUT_REFUSED', message: expect.stringMatching(/^Cannot write to [^\n]+$/) });
      expect(await textOf(root, 'a file')).toBe('as it was');
    });
  });
});

describe('writeWhole', () => {
  test('replaces a file, or leaves what is there', async () => {
    await withFolder(async (root) => {
      await writeWhole(join(root, 'new'), 'x', 'one');
      await writeWhole(join(root, 'new'), 'x', 'two');
      await mkdir(join(root, 'new', 'y'));
      await expect(writeWhole(join(root, 'new'), 'y', 'three')).rejects.toThrow(OutputError);
      await expect(writeWhole(join(root, 'new', 'x'), 'y', 'four')).rejects.toThrow(OutputError);
      expect(await readdir(join(root, 'new'))).toEqual(['x', 'y']);
      expect(await textOf(root, 'new', 'x')).toBe('two');
    });
  });
});

describe('requireFolder', () => {
  test('takes a folder, and one that is not there yet', async () => {
    await withFolder(async (root) => {
      await expect(requireFolder(root)).resolves.toBeUndefined();
      await expect(requireFolder(join(root, 'a', 'b'))).resolves.toBeUndefined();
      expect(await readdir(root)).toEqual([]);
    });
  });

  test('refuses a file, and a place inside of one', async () => {
    await withFolder(async (root) => {
      await writeFile(join(root, 'x'), '');
      await expect(requireFolder(join(root, 'x'))).rejects.toThrow(UsageError);
      await expect(requireFolder(join(root, 'x', 'y', 'z'))).rejects.toThrow('lies in a file');
      await expect(requireFolder('/dev/null/x')).rejects.toThrow(UsageError);
    });
  });
});
