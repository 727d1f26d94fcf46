import { styleText } from 'node:util';
import type { ClientEvent } from '../client/encrypted_session.js';

const WIDTH = 24;
const REDRAW_MS = 80;

/** Progress on stderr: a line that redraws itself on a terminal, plain lines elsewhere. */
export class Display {
  readonly #stream: NodeJS.WriteStream;
  #step = '';
  #stepStart = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  /** Ends the current step and begins the next. */
  step(name: string): void {
    if (name === this.#step) return;
    this.finish();
    this.#step = name;
    this.#stepStart = performance.now();
    this.#drawnAt = Number.NEGATIVE_INFINITY; // the first update of a step is always drawn
    if (this.#stream.isTTY) this.#draw(name);
    else this.#stream.write(`${name} ...\n`);
  }

  /** A line that stays. */
  note(line: string): void {
    this.#stream.write(`${this.#clear()}  ${line}\n`);
  }

  update(done: number, total: number, detail: string): void {
    const now = performance.now();
    if (!this.#stream.isTTY || (now - this.#drawnAt < REDRAW_MS && done < total)) return;
    const filled = Math.round((WIDTH * done) / Math.max(1, total));
    this.#draw(`${this.#step} ${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${detail}`);
    this.#drawnAt = now;
  }

  /** Ends the current step; to be called before anything else is written to the terminal. */
  finish(): void {
    if (this.#step !== '' && this.#stream.isTTY) {
      const seconds = ((performance.now() - this.#stepStart) / 1000).toFixed(1);
      this.#stream.write(`${this.#clear()}${styleText('green', '✓', { stream: this.#stream })} ${this.#step} ${seconds} s\n`);
    }
    this.#step = '';
  }

  /** Erases the unfinished step: an error message follows. */
  abandon(): void {
    this.#stream.write(this.#clear());
    this.#step = '';
  }

  on(event: ClientEvent): void {
    switch (event.type) {
      case 'phase':
        this.step(event.name);
        break;
      case 'keys':
        this.step(`generating ${event.total} evaluation keys`);
        this.update(event.done, event.total, `${event.done} of ${event.total}`);
        break;
      case 'upload':
        this.step(`uploading ${megabytes(event.total)} of evaluation keys`);
        this.update(event.sent, event.total, megabytes(event.sent));
        break;
      case 'reconnect':
        this.note(`connection lost, reconnecting (attempt ${event.attempt})`);
        break;
      case 'run':
        this.#onRun(event.event);
    }
  }

  #onRun(event: Extract<ClientEvent, { type: 'run' }>['event']): void {
    if (event.type === 'layer' || event.type === 'progress') {
      const where = event.segments > 1 ? `, part ${event.segment + 1} of ${event.segments}` : '';
      const layer = `${event.name} at level ${event.level}${where}`;
      if (!this.#stream.isTTY && event.type === 'layer') this.note(`layer ${layer}`);
      this.update(event.fraction, 1, `${layer}, ${(event.remainingMs / 1000).toFixed(0)} s left`);
    } else if (event.type === 'refresh') {
      const ciphertexts = event.ciphertexts === 1 ? '1 masked ciphertext' : `${event.ciphertexts} masked ciphertexts`;
      this.note(`refresh ${event.segment + 1} of ${event.segments - 1}: ${ciphertexts} re-encrypted by the client`);
    }
  }

  #draw(line: string): void {
    const columns = this.#stream.columns || 80; // 0 on some terminals without a window
    this.#stream.write(`${this.#clear()}${line.slice(0, columns - 1)}`);
  }

  #clear(): string {
    return this.#stream.isTTY ? '\r\u001b[K' : '';
  }
}

export function megabytes(bytes: number): string {
  return bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
