import { randomBytes } from 'node:crypto';
import type { Run, Session } from 'tfjs-he-backend/server';
import { DemoError } from '../errors.js';

export interface SessionLimits {
  /** Sessions whose evaluation keys are held at once; the least recently used idle one gives way. */
  readonly maxSessions: number;
  /** A session unused for this long is forgotten. */
  readonly timeToLiveMs: number;
}

interface Entry {
  readonly model: string;
  readonly session: Session;
  expiresAt: number;
  /** Set while a run uses the session. */
  running: AbortController | null;
  /** Resolves when that use has ended. */
  released: Promise<void>;
  /** The last question, kept in case its client comes back. It gives itself up after a while, and goes with the session. */
  run: Run | undefined;
}

/** A place kept for a session whose keys are still being uploaded. */
export interface Reservation {
  commit(model: string, session: Session): string;
  /** Without effect after `commit`. */
  cancel(): void;
}

/** Exclusive use of a session for one run. */
export interface Lease {
  readonly model: string;
  readonly session: Session;
  /** Aborts when the session is deleted or the store closes. */
  readonly signal: AbortSignal;
  /** The session's last question, or what takes its place. */
  run: Run | undefined;
  release(): void;
}

/** Sessions by unguessable identifier, oldest use first. Whatever leaves is disposed of, a running one when its run ends. */
export class SessionStore {
  readonly #entries = new Map<string, Entry>();
  readonly #limits: SessionLimits;
  readonly #now: () => number;
  #reserved = 0;

  constructor(limits: SessionLimits, now: () => number = Date.now) {
    this.#limits = limits;
    this.#now = now;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** @throws DemoError SERVER_BUSY when all places are taken by runs and uploads. */
  reserve(): Reservation {
    this.sweep();
    while (this.#entries.size + this.#reserved >= this.#limits.maxSessions) {
      const idle = [...this.#entries].find(([, entry]) => entry.running === null);
      if (idle === undefined) throw new DemoError('SERVER_BUSY', 'all sessions of the server are in use: try again later');
      this.delete(idle[0]);
    }
    this.#reserved++;
    let open = true;
    const close = (): void => {
      if (open) this.#reserved--;
      open = false;
    };
    return {
      commit: (model, session) => {
        close();
        const id = randomBytes(16).toString('base64url');
        this.#entries.set(id, {
          model,
          session,
          expiresAt: this.#now() + this.#limits.timeToLiveMs,
          running: null,
          released: Promise.resolve(),
          run: undefined,
        });
        return id;
      },
      cancel: close,
    };
  }

  /** @throws DemoError UNKNOWN_SESSION (never existed, expired or evicted), SESSION_BUSY. */
  lease(id: string): Lease {
    this.sweep();
    const entry = this.#entries.get(id);
    if (entry === undefined) throw new DemoError('UNKNOWN_SESSION', 'the server does not know this session: upload the keys again');
    if (entry.running !== null) throw new DemoError('SESSION_BUSY', 'this session is already running a question: wait for its answer');
    const running = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    entry.running = running;
    entry.released = promise;
    return {
      get run() {
        return entry.run;
      },
      set run(run) {
        if (entry.run !== run) entry.run?.dispose();
        entry.run = run;
      },
      model: entry.model,
      session: entry.session,
      signal: running.signal,
      release: () => {
        if (entry.running !== running) return;
        entry.running = null;
        if (this.#entries.get(id) === entry) this.#touch(id, entry);
        else entry.session.dispose();
        resolve();
      },
    };
  }

  /**
   * As `lease`, for a client that has lost its connection: a run that still waits for the lost one is interrupted first.
   * @throws DemoError UNKNOWN_SESSION, SESSION_BUSY (somebody else was faster).
   */
  async takeOver(id: string): Promise<Lease> {
    const entry = this.#entries.get(id);
    entry?.running?.abort(new DemoError('INTERRUPTED', 'the client has come back on another connection'));
    await entry?.released;
    return this.lease(id);
  }

  /** Forgets a session and ends its run, if any. Unknown ones are ignored. */
  delete(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    if (entry.running === null) entry.session.dispose();
    else entry.running.abort(new DemoError('UNKNOWN_SESSION', 'the session has been deleted'));
  }

  /** Forgets what has expired; runs under way are left to end. */
  sweep(): void {
    const now = this.#now();
    for (const [id, entry] of this.#entries) if (entry.running === null && entry.expiresAt <= now) this.delete(id);
  }

  close(): void {
    for (const id of [...this.#entries.keys()]) this.delete(id);
  }

  /** Map order is the order of use. */
  #touch(id: string, entry: Entry): void {
    entry.expiresAt = this.#now() + this.#limits.timeToLiveMs;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
  }
}
