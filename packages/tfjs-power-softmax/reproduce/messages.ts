import type { Task } from './tasks.ts';

export interface ToWorker {
  readonly task: Task;
}

/** `ready` once, then for each task any number of `progress` and one of `done` and `failed`. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'progress'; readonly step: number; readonly loss: number }
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string };
