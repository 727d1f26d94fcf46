/** Draws the state of a long job, and may end it. */
export interface Progress {
  readonly update: (done: number, total: number, note: string) => void;
  /** A line that stays. */
  readonly log: (line: string) => void;
  /** Erases the bar: something else is about to be written. */
  readonly clear: () => void;
  /** Ends the job between two of its steps. */
  readonly signal?: AbortSignal;
}

const WIDTH = 30;
const REDRAW_MS = 100;

/** A bar that redraws itself on a terminal; elsewhere only the lines that stay. */
export function progressBar(stream: NodeJS.WriteStream): Progress {
  let drawnAt = 0;
  const clear = stream.isTTY ? '\r\u001b[K' : '';
  return {
    update: (done, total, note) => {
      const now = Date.now();
      if (!stream.isTTY || (now - drawnAt < REDRAW_MS && done < total)) return;
      drawnAt = now;
      const filled = Math.round((WIDTH * done) / total);
      stream.write(`${clear}${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${Math.floor((100 * done) / total)}% ${note}`);
    },
    log: (line) => stream.write(`${clear}${line}\n`),
    clear: () => stream.write(clear),
  };
}
