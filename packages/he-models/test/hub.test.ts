import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { AssetError, ModelUnavailableError, UnknownModelError } from '../src/errors.js';
import { env } from '../src/hub/env.js';
import type { ProgressInfo } from '../src/hub/progress.js';
import { startWasm } from '../src/train/wasm.js';
import { loadClearModel } from '../src/use/clear_model.js';
import { HeModelClient } from '../src/use/he_model_client.js';
import { writeTinyModel } from './tiny_model.js';

const untouched = { ...env };
let root: string;
let folder: string;

beforeAll(async () => {
  await startWasm();
  root = await mkdtemp(join(tmpdir(), 'he-models-hub-'));
  folder = join(root, 'tiny');
  await writeTinyModel(folder);
});
afterAll(() => rm(root, { recursive: true }));
afterEach(() => {
  Object.assign(env, untouched);
});

/** Serves the folder at any address whose last part names a file of it, and notes what was asked for. */
function serve(change: (file: string, bytes: Buffer) => Buffer = (_, bytes) => bytes): string[] {
  const asked: string[] = [];
  env.fetch = async (url) => {
    asked.push(url);
    const file = url.slice(url.lastIndexOf('/') + 1);
    const bytes = await readFile(join(folder, file)).catch(() => undefined);
    if (bytes === undefined) return new Response('', { status: 404 });
    const body = Uint8Array.from(change(file, bytes));
    return new Response(body, { headers: { 'content-length': String(body.length) } });
  };
  return asked;
}

/** A cache folder of its own. */
async function withCache(): Promise<string> {
  env.cacheDir = await mkdtemp(join(root, 'cache-'));
  return env.cacheDir;
}

async function logitsOf(model: string): Promise<number[]> {
  const client = await HeModelClient.from_pretrained(model);
  const clear = await loadClearModel(model);
  const logits = [...clear.logits(client.embed('it is so red'))];
  clear.dispose();
  return logits;
}

describe('a model is found', () => {
  test('in a folder', async () => {
    expect((await HeModelClient.from_pretrained(folder)).labels).toEqual(['RED', 'GREEN', 'BLUE']);
  });

  test('by name in env.localModelPath', async () => {
    env.localModelPath = root;
    expect((await HeModelClient.from_pretrained('tiny')).name).toBe('tiny');
  });

  test('at a URL, with the same logits', async () => {
    await withCache();
    serve();
    expect(await logitsOf('https://models.example/tiny')).toEqual(await logitsOf(folder));
  });

  test('as owner/name at the remote host, below the template', async () => {
    await withCache();
    const asked = serve();
    Object.assign(env, { remoteHost: 'https://hub.example/', remotePathTemplate: '{model}/at/{revision}/' });
    await HeModelClient.from_pretrained('someone/tiny', { revision: 'v2' });
    expect(asked[0]).toBe('https://hub.example/someone/tiny/at/v2/config.json');
  });
});

describe('a model is refused', () => {
  test.each([['no-such-model'], ['../elsewhere/../x'], ['./folder'], ['../folder'], ['']])('that does not exist: %j', async (name) => {
    const asked = serve();
    await expect(HeModelClient.from_pretrained(name)).rejects.toThrow(UnknownModelError);
    await expect(HeModelClient.from_pretrained(name)).rejects.toThrow('power-banking77');
    expect(asked).toEqual([]);
  });

  test('at a URL when env forbids it', async () => {
    serve();
    env.allowRemoteModels = false;
    await expect(HeModelClient.from_pretrained('https://models.example/tiny')).rejects.toThrow('env.allowRemoteModels');
  });

  test('that the host does not have', async () => {
    env.fetch = async () => new Response('', { status: 404 });
    await expect(HeModelClient.from_pretrained('someone/tiny')).rejects.toThrow(ModelUnavailableError);
  });

  test('when the network fails', async () => {
    env.fetch = () => Promise.reject(new TypeError('fetch failed'));
    await expect(HeModelClient.from_pretrained('someone/tiny')).rejects.toThrow('fetch failed');
  });

  test('whose configuration is not the pinned one', async () => {
    await expect(HeModelClient.from_pretrained(folder, { config_sha256: 'ab' })).rejects.toThrow(AssetError);
    const digest = createHash('sha256')
      .update(await readFile(join(folder, 'config.json')))
      .digest('hex');
    expect((await HeModelClient.from_pretrained(folder, { config_sha256: digest })).name).toBe('tiny');
  });

  test('whose shard is cut off, with how much there is', async () => {
    const copy = join(root, 'cut');
    await writeTinyModel(copy);
    await truncate(join(copy, 'weights.bin'), 100);
    await expect(loadClearModel(copy)).rejects.toThrow('weights.bin is cut off after 100 of');
  });

  test('with a changed byte, and nothing of it stays in the cache', async () => {
    const cache = await withCache();
    serve((file, bytes) => (file === 'embedding.bin' ? Buffer.from(bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte))) : bytes));
    await expect(HeModelClient.from_pretrained('someone/tiny')).rejects.toThrow('embedding.bin differs');
    expect(await readdir(join(cache, 'sha256'))).toHaveLength(1);
  });

  test('whose file is longer than recorded, before it has been read to the end', async () => {
    await withCache();
    serve((file, bytes) => (file === 'embedding.bin' ? Buffer.concat([bytes, bytes]) : bytes));
    await expect(HeModelClient.from_pretrained('someone/tiny')).rejects.toThrow('embedding.bin is larger');
  });
});

describe('the cache', () => {
  test('spares the network all files but the configuration', async () => {
    await withCache();
    const asked = serve();
    await HeModelClient.from_pretrained('someone/tiny');
    const first = asked.length;
    await HeModelClient.from_pretrained('someone/tiny');
    expect(first).toBe(3);
    expect(asked.slice(first).map((url) => url.slice(url.lastIndexOf('/')))).toEqual(['/config.json']);
  });

  test('is not believed: a damaged file is fetched again', async () => {
    const cache = await withCache();
    const asked = serve();
    await HeModelClient.from_pretrained('someone/tiny');
    for (const file of await readdir(join(cache, 'sha256'))) await writeFile(join(cache, 'sha256', file), 'damaged');
    await HeModelClient.from_pretrained('someone/tiny');
    expect(asked).toHaveLength(6);
  });

  test('that cannot be written does not matter', async () => {
    serve();
    env.cacheDir = join(folder, 'config.json');
    expect((await HeModelClient.from_pretrained('someone/tiny')).name).toBe('tiny');
  });
});

test('progress follows transformers.js', async () => {
  env.useFSCache = false;
  serve();
  const events: ProgressInfo[] = [];
  await HeModelClient.from_pretrained('someone/tiny', { progress_callback: (event) => events.push(event) });
  const ofFile = events.filter((event) => 'file' in event && event.file === 'embedding.bin');
  expect(ofFile.map(({ status }) => status)).toEqual(['initiate', 'download', 'progress', 'done']);
  const { bytes } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')).files['embedding.bin'];
  expect(ofFile[2]).toEqual({
    status: 'progress',
    name: 'someone/tiny',
    file: 'embedding.bin',
    progress: 100,
    loaded: bytes,
    total: bytes,
  });
});

test('an aborted signal ends the loading with its reason', async () => {
  const controller = new AbortController();
  env.useFSCache = false;
  serve((_, bytes) => {
    controller.abort(new Error('changed my mind'));
    return bytes;
  });
  await expect(HeModelClient.from_pretrained('someone/tiny', { signal: controller.signal })).rejects.toThrow('changed my mind');
});
