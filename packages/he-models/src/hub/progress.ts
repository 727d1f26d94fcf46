/**
 * What `progress_callback` gets. The first four are those of transformers.js; sizes are bytes, `progress` is in percent. `total` is 0 for a
 * file whose size the host does not tell.
 */
export type ProgressInfo =
  | { readonly status: 'initiate'; readonly name: string; readonly file: string }
  | { readonly status: 'download'; readonly name: string; readonly file: string }
  | {
      readonly status: 'progress';
      readonly name: string;
      readonly file: string;
      readonly progress: number;
      readonly loaded: number;
      readonly total: number;
    }
  | { readonly status: 'done'; readonly name: string; readonly file: string }
  /** Steps after the files: parameter sets tried, constants encoded, evaluation keys made. */
  | { readonly status: 'compile' | 'encode' | 'keys'; readonly name: string; readonly loaded: number; readonly total: number }
  | { readonly status: 'ready'; readonly name: string; readonly task: string };

export type ProgressCallback = (event: ProgressInfo) => void;
