import { nodeParts } from '../node_modules.js';

/** Where models are looked for and kept; the names are those of transformers.js. Assign to change; read when a model is loaded. */
export interface Environment {
  /** Whether `owner/name` and URLs may be fetched. Default true. */
  allowRemoteModels: boolean;
  /** Default `https://huggingface.co/`. */
  remoteHost: string;
  /** Below the host; `{model}` and `{revision}` are replaced. Default `{model}/resolve/{revision}/`. */
  remotePathTemplate: string;
  /** Whether folders are read. Default true in Node, false elsewhere. */
  allowLocalModels: boolean;
  /** Folder in which models are looked for by name, besides those of the package. Default `models` where the process stands. */
  localModelPath: string;
  /** Whether fetched files are kept in `cacheDir`. Default true in Node. */
  useFSCache: boolean;
  /** Default `he-models` in `$XDG_CACHE_HOME`, or in `.cache` of the home folder. */
  cacheDir: string;
  /** Whether fetched files are kept in the browser's Cache API. Default true where there is one. */
  useBrowserCache: boolean;
  /** Fetches a URL; replace it to add headers or a proxy. Default the global `fetch`. */
  fetch: (url: string, options: { readonly signal: AbortSignal | null }) => Promise<Response>;
}

function defaults(): Environment {
  const node = nodeParts();
  return {
    allowRemoteModels: true,
    remoteHost: 'https://huggingface.co/',
    remotePathTemplate: '{model}/resolve/{revision}/',
    allowLocalModels: node !== undefined,
    localModelPath: 'models',
    useFSCache: node !== undefined,
    cacheDir: node?.path.join(node.variables.XDG_CACHE_HOME ?? node.path.join(node.os.homedir(), '.cache'), 'he-models') ?? '',
    useBrowserCache: node === undefined && 'caches' in globalThis,
    fetch: (url, options) => globalThis.fetch(url, options),
  };
}

export const env: Environment = defaults();
