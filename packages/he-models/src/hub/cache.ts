import { nodeParts } from '../node_modules.js';
import { env } from './env.js';

/** Keeps files by the SHA-256 of their content. What it returns must be verified: others can write there. */
export interface FileCache {
  readonly get: (sha256: string) => Promise<Uint8Array | undefined>;
  readonly put: (sha256: string, bytes: Uint8Array<ArrayBuffer>) => Promise<void>;
}

const CACHE_NAME = 'he-models';

/** The cache that `env` asks for, if any. */
export function openCache(): FileCache | undefined {
  const node = nodeParts();
  if (env.useFSCache && node !== undefined) return folderCache(node, env.cacheDir);
  if (env.useBrowserCache && 'caches' in globalThis) return browserCache();
  return undefined;
}

/** A folder; files appear in it complete or not at all. A folder that cannot be written to keeps nothing. */
function folderCache({ fs, path }: NonNullable<ReturnType<typeof nodeParts>>, folder: string): FileCache {
  const pathOf = (sha256: string): string => path.join(folder, 'sha256', sha256);
  return {
    get: (sha256) => fs.readFile(pathOf(sha256)).catch(() => undefined),
    put: async (sha256, bytes) => {
      const target = pathOf(sha256);
      const part = `${target}.${crypto.randomUUID()}.part`;
      try {
        await fs.mkdir(path.dirname(target), { recursive: true });
        await fs.writeFile(part, bytes);
        await fs.rename(part, target);
      } catch {
        await fs.rm(part, { force: true }).catch(() => {});
      }
    },
  };
}

function browserCache(): FileCache {
  const keyOf = (sha256: string): string => `https://he-models.invalid/sha256/${sha256}`;
  return {
    get: async (sha256) => {
      const found = await (await caches.open(CACHE_NAME)).match(keyOf(sha256));
      return found === undefined ? undefined : new Uint8Array(await found.arrayBuffer());
    },
    put: async (sha256, bytes) => {
      await (await caches.open(CACHE_NAME)).put(keyOf(sha256), new Response(bytes)).catch(() => {}); // full or forbidden: go without
    },
  };
}
