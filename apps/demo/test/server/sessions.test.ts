import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Run, Session } from 'tfjs-he-backend/server';
import { SessionStore } from '../../src/server/sessions.js';

let now = 0;
let disposed: string[] = [];
let store: SessionStore;

function fakeSession(name: string): Session {
  return { dispose: () => disposed.push(name) } as unknown as Session; // the store only ever disposes of it
}

function open(name: string): string {
  return store.reserve().commit('tiny', fakeSession(name));
}

beforeEach(() => {
  now = 0;
  disposed = [];
  store = new SessionStore({ maxSessions: 2, timeToLiveMs: 1000 }, () => now);
});

describe('session store', () => {
  test('gives identifiers that cannot be guessed', () => {
    expect(open('a')).toMatch(/^[\w-]{22}$/);
    expect(open('b')).not.toBe(open('c'));
  });

  test('forgets and disposes of a session that was not used in time', () => {
    const id = open('a');
    now = 999;
    store.sweep();
    expect(disposed).toEqual([]);
    now = 1000;
    expect(() => store.lease(id)).toThrow(expect.objectContaining({ code: 'UNKNOWN_SESSION' }));
    expect(disposed).toEqual(['a']);
  });

  test('prolongs a session at the end of each use', () => {
    const id = open('a');
    const lease = store.lease(id);
    now = 900;
    lease.release();
    now = 1800;
    expect(store.lease(id).model).toBe('tiny');
  });

  test('does not expire a session during its run', () => {
    const id = open('a');
    const lease = store.lease(id);
    now = 5000;
    store.sweep();
    lease.release();
    expect(disposed).toEqual([]);
    expect(store.size).toBe(1);
  });

  test('evicts the least recently used session when full', () => {
    const a = open('a');
    open('b');
    store.lease(a).release();
    open('c');
    expect(disposed).toEqual(['b']);
  });

  test('never evicts a running session', () => {
    store.lease(open('a'));
    open('b');
    open('c');
    expect(disposed).toEqual(['b']);
  });

  test('refuses a new session while all places are running or being uploaded to', () => {
    store.lease(open('a'));
    const upload = store.reserve();
    expect(() => store.reserve()).toThrow(expect.objectContaining({ code: 'SERVER_BUSY' }));
    upload.cancel();
    expect(() => store.reserve()).not.toThrow();
  });

  test('allows one run at a time per session', () => {
    const id = open('a');
    const lease = store.lease(id);
    expect(() => store.lease(id)).toThrow(expect.objectContaining({ code: 'SESSION_BUSY' }));
    lease.release();
    expect(() => store.lease(id)).not.toThrow();
  });

  test('aborts the run of a deleted session and disposes of it when the run has ended', () => {
    const id = open('a');
    const lease = store.lease(id);
    store.delete(id);
    expect(lease.signal.aborted).toBe(true);
    expect(disposed).toEqual([]);
    lease.release();
    lease.release();
    expect(disposed).toEqual(['a']);
  });

  test('disposes of everything when closed', () => {
    open('a');
    const lease = store.lease(open('b'));
    store.close();
    lease.release();
    expect(disposed).toEqual(['a', 'b']);
  });

  test('lets a client that comes back take over from the run that waits for its lost connection', async () => {
    const id = open('a');
    const lost = store.lease(id);
    lost.signal.addEventListener('abort', () => setImmediate(() => lost.release()));
    const lease = await store.takeOver(id);
    expect(lost.signal.aborted).toBe(true);
    expect(lease.signal.aborted).toBe(false);
    await expect(store.takeOver('nonexistent')).rejects.toMatchObject({ code: 'UNKNOWN_SESSION' });
  });

  test("keeps one run per session: a new question disposes of the last one's", () => {
    const id = open('a');
    const ended: string[] = [];
    const run = (name: string) => ({ dispose: () => ended.push(name) }) as unknown as Run; // the store only ever disposes of it
    const lease = store.lease(id);
    lease.run = run('first');
    lease.release();
    const next = store.lease(id);
    expect(next.run).toBeDefined();
    next.run = run('second');
    expect(ended).toEqual(['first']);
  });
});
