import type { ProgressCallback } from '../hub/progress.js';
import type { Progress } from '../train/progress.js';

const NOTES = { compile: 'choosing parameters', encode: 'encoding weights', keys: 'making keys' } as const;

/** Draws the events of loading a model. */
export function showProgress(progress: Progress): ProgressCallback {
  return (event) => {
    if (event.status === 'progress') progress.update(event.loaded, Math.max(1, event.total, event.loaded), event.file);
    else if (event.status === 'compile' || event.status === 'encode' || event.status === 'keys') {
      progress.update(event.loaded, Math.max(1, event.total), NOTES[event.status]);
    }
  };
}
