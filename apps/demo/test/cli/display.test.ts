import { Writable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { Display } from '../../src/cli/display.js';

function written(isTTY: boolean, use: (display: Display) => void): string {
  let text = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      text += chunk;
      done();
    },
  });
  use(new Display(Object.assign(stream, { isTTY, columns: 200 }) as unknown as NodeJS.WriteStream));
  return text;
}

const progress = { name: 'attention', level: 3, segment: 0, segments: 2, done: 5, total: 10, fraction: 0.5, remainingMs: 2400 };

function conversation(display: Display): void {
  display.on({ type: 'keys', done: 1, total: 2 });
  display.on({ type: 'keys', done: 2, total: 2 });
  display.on({ type: 'phase', name: 'evaluating on ciphertexts' });
  display.on({
    type: 'run',
    event: { type: 'layer', ...progress },
  });
  display.on({ type: 'run', event: { type: 'progress', ...progress } });
  display.on({ type: 'run', event: { type: 'layerEnd', ms: 1200, ...progress } });
  display.on({ type: 'run', event: { type: 'refresh', segment: 0, segments: 3, ciphertexts: 4 } });
  display.on({ type: 'run', event: { type: 'refresh', segment: 1, segments: 3, ciphertexts: 1 } });
  display.finish();
}

describe('progress', () => {
  test('is one plain line per step, layer and refresh where there is no terminal', () => {
    expect(written(false, conversation).split('\n')).toEqual([
      'generating 2 evaluation keys ...',
      'evaluating on ciphertexts ...',
      '  layer attention at level 3, part 1 of 2',
      '  refresh 1 of 2: 4 masked ciphertexts re-encrypted by the client',
      '  refresh 2 of 2: 1 masked ciphertext re-encrypted by the client',
      '',
    ]);
  });

  test('redraws one line on a terminal and leaves finished steps behind', () => {
    const text = written(true, conversation);
    expect(text).toContain('\r\u001b[Kevaluating on ciphertexts ████████████░░░░░░░░░░░░ attention at level 3, part 1 of 2, 2 s left');
    expect(text).toMatch(/✓(\S*) generating 2 evaluation keys \d+\.\d s\n/);
    expect(text.endsWith(' s\n')).toBe(true);
  });
});
