import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { showProgress } from '../src/cli/show_progress.js';
import type { ProgressInfo } from '../src/hub/progress.js';
import { progressBar } from '../src/train/progress.js';

const CLEAR = '\r\u001b[K';

beforeEach(() => {
  jest.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A bar, and what it has written. */
function barOn(isTTY: boolean) {
  const written: string[] = [];
  const stream = { isTTY, write: (text: string) => written.push(text) > 0 };
  return { bar: progressBar(stream as unknown as NodeJS.WriteStream), written };
}

describe('the progress bar', () => {
  test('fills on a terminal', () => {
    const { bar, written } = barOn(true);
    bar.update(1, 4, 'reading');
    expect(written).toEqual([`${CLEAR}${'█'.repeat(8)}${'░'.repeat(22)} 25% reading`]);
  });

  test('redraws ten times a second, and at the end', () => {
    const { bar, written } = barOn(true);
    bar.update(1, 4, 'a');
    bar.update(2, 4, 'b');
    jest.advanceTimersByTime(100);
    bar.update(3, 4, 'c');
    bar.update(4, 4, 'd');
    expect(written.map((text) => text.slice(-5))).toEqual(['25% a', '75% c', '00% d']);
  });

  test('gives way to lines that stay', () => {
    const { bar, written } = barOn(true);
    bar.log('an epoch');
    bar.clear();
    expect(written).toEqual([`${CLEAR}an epoch\n`, CLEAR]);
  });

  test('is not drawn elsewhere, but lines are', () => {
    const { bar, written } = barOn(false);
    bar.update(4, 4, 'reading');
    bar.log('an epoch');
    bar.clear();
    expect(written.join('')).toBe('an epoch\n');
  });
});

describe('loading a model', () => {
  const drawn = (event: ProgressInfo): unknown[] => {
    const calls: unknown[] = [];
    showProgress({ update: (...args) => void calls.push(args), log: () => {}, clear: () => {} })(event);
    return calls;
  };

  test('draws bytes of a file', () => {
    expect(drawn({ status: 'progress', name: 'm', file: 'weights.bin', progress: 50, loaded: 5, total: 10 })).toEqual([
      [5, 10, 'weights.bin'],
    ]);
  });

  test('never draws more than the whole, nor parts of nothing', () => {
    expect(drawn({ status: 'progress', name: 'm', file: 'x', progress: 0, loaded: 5, total: 0 })).toEqual([[5, 5, 'x']]);
    expect(drawn({ status: 'keys', name: 'm', loaded: 0, total: 0 })).toEqual([[0, 1, 'making keys']]);
  });

  test.each([
    ['compile', 'choosing parameters'],
    ['encode', 'encoding weights'],
    ['keys', 'making keys'],
  ] as const)('says what it does at %s', (status, note) => {
    expect(drawn({ status, name: 'm', loaded: 1, total: 3 })).toEqual([[1, 3, note]]);
  });

  test('draws nothing when it begins or ends', () => {
    expect(drawn({ status: 'initiate', name: 'm', file: 'x' })).toEqual([]);
    expect(drawn({ status: 'ready', name: 'm', task: 'text-classification' })).toEqual([]);
  });
});
