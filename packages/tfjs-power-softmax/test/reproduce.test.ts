import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { approximate } from 'tfjs-power-softmax';
import { corpusOf, countEntropies, evenWindows, sampleWindows, windowStarts } from '../reproduce/corpus.ts';
import { tasksOf } from '../reproduce/experiments/all.ts';
import { goldschmidtSteps } from '../reproduce/experiments/length.ts';
import { parseOptions, UsageError } from '../reproduce/options.ts';
import { FULL, type Plan, power, rangeLoss, SOFTMAX, training } from '../reproduce/plan.ts';
import { progressOn } from '../reproduce/progress.ts';
import { uniformRandom } from '../reproduce/random.ts';
import { heatMapPlot, linePlot } from '../reproduce/report/plot.ts';
import { figure, markdownTable, meanAndDeviation, spread } from '../reproduce/report/table.ts';
import { summarise } from '../reproduce/statistics.ts';
import { distinct, prerequisite, type Task, taskKey, trainTask } from '../reproduce/tasks.ts';

const PLAN: Plan = { budget: FULL, seeds: 2, text: 'abc', baselines: { unigram: 3, bigram: 2 } };
const TASK = trainTask('abc', training(PLAN, power(4), 1));

describe('the key of a run', () => {
  test('does not depend on the order in which settings are written', () => {
    const { model, ...others } = TASK.train;
    const reordered: Task = {
      train: { ...Object.fromEntries(Object.entries(others).reverse()), model } as typeof TASK.train,
      text: 'abc',
      kind: 'train',
    };
    expect(taskKey(reordered)).toBe(taskKey(TASK));
  });

  test('changes with every setting', () => {
    const changed: Task[] = [
      trainTask('abd', TASK.train),
      ...(['steps', 'batch', 'learningRate', 'warmUp', 'points', 'pointWindows', 'finalWindows'] as const).map((name) =>
        trainTask('abc', { ...TASK.train, [name]: TASK.train[name] + 1 }),
      ),
      ...(['p', 'epsilon', 'layers', 'features', 'heads', 'hidden', 'normEpsilon', 'tokens', 'seed'] as const).map((name) =>
        trainTask('abc', { ...TASK.train, model: { ...TASK.train.model, [name]: TASK.train.model[name] + 1 } }),
      ),
      trainTask('abc', training(PLAN, power(4), 1, rangeLoss(PLAN, 100))),
      trainTask('abc', training(PLAN, power(4), 1, rangeLoss(PLAN, 10))),
    ];
    expect(new Set([TASK, ...changed].map(taskKey)).size).toBe(changed.length + 1);
  });

  test('keeps one of several equal tasks', () => {
    expect(distinct([TASK, trainTask('abc', training(PLAN, power(4), 1)), trainTask('abc', training(PLAN, SOFTMAX, 1))])).toHaveLength(2);
  });
});

test('a plan has every training before what is measured on it, seed by seed', () => {
  const tasks = tasksOf(PLAN);
  const places = new Map(tasks.map((task, i) => [taskKey(task), i]));
  for (const [i, task] of tasks.entries()) {
    const first = prerequisite(task);
    if (first !== undefined) expect(places.get(taskKey(first))).toBeLessThan(i);
  }
  expect(tasks.map(({ train }) => train.model.seed)).toEqual([...tasks.map(({ train }) => train.model.seed)].sort());
});

describe('the text', () => {
  const text = 'to be or not to be, that is the question: whether it is nobler '.repeat(20);
  const corpus = corpusOf(text);

  test('is split without overlap into 90 % and the rest', () => {
    const decoded = [...corpus.train, ...corpus.validation].map((id) => corpus.vocabulary[id]).join('');
    expect(decoded).toBe(text);
    expect(corpus.train.length).toBe(Math.floor(0.9 * text.length));
  });

  test('gives windows whose targets are the next characters', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5 }), fc.integer(), (length, count, seed) => {
        for (const windows of [sampleWindows(corpus.train, count, length, uniformRandom(seed)), evenWindows(corpus.train, count, length)]) {
          const string = (ids: Int32Array) => Array.from(ids, (id) => corpus.vocabulary[id]).join('');
          for (let i = 0; i < count; i++) {
            const row = (ids: Int32Array) => string(ids.subarray(i * length, (i + 1) * length));
            const [inputs, targets] = [row(windows.inputs), row(windows.targets)];
            expect(targets.slice(0, -1)).toBe(inputs.slice(1));
            expect(text).toContain(inputs + targets.slice(-1));
          }
        }
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  test('is too short for some windows', () => {
    expect(() => evenWindows(corpus.validation, 2, corpus.validation.length)).toThrow(RangeError);
  });

  test('has starts of windows that are prefixes', () => {
    const whole = evenWindows(corpus.train, 3, 10);
    const starts = windowStarts(whole, 4);
    expect([...starts.targets]).toEqual([0, 1, 2].flatMap((i) => [...whole.targets.subarray(10 * i, 10 * i + 4)]));
  });

  test('of two alternating characters has entropies ln 2 and almost 0', () => {
    const { unigram, bigram } = countEntropies(corpusOf('ab'.repeat(5000)));
    expect(unigram).toBeCloseTo(Math.LN2, 4);
    expect(bigram).toBeLessThan(1e-3);
  });
});

test('uniform random numbers depend on the seed, and lie in [0, 1) with mean 1/2', () => {
  const draw = (seed: number) => Array.from({ length: 1000 }, uniformRandom(seed));
  const numbers = draw(1);
  expect(draw(1)).toEqual(numbers);
  expect(draw(2)).not.toEqual(numbers);
  expect(numbers.every((x) => x >= 0 && x < 1)).toBe(true);
  expect(Math.abs(summarise(numbers)!.mean - 0.5)).toBeLessThan(0.03);
});

test('Goldschmidt steps by the formula are those that the package counts', () => {
  fc.assert(
    fc.property(fc.double({ min: 1.5, max: 1e6, noNaN: true }), fc.integer({ min: 4, max: 12 }), (kappa, bits) => {
      expect(goldschmidtSteps(kappa, bits)).toBe(approximate('reciprocal', [1, kappa], { method: 'goldschmidt', bits }).steps);
    }),
    { seed: 2, numRuns: 40 },
  );
});

describe('tables', () => {
  test('leave out what is not finite, and say so by the count', () => {
    expect(summarise([1, null, 3, undefined])).toEqual({ count: 2, mean: 2, deviation: Math.SQRT2, min: 1, max: 3 });
    expect(summarise([null])).toBeUndefined();
  });

  test.each([
    [0, '0'],
    [1234.5, '1230'],
    [123456, '1.2e+5'],
    [0.00012, '1.2e-4'],
    [0.0123456, '0.0123'],
    [null, '-'],
    [Number.NaN, 'NaN'],
  ])('print %p as %p', (value, text) => {
    expect(figure(value)).toBe(text);
  });

  test('print one value without a deviation', () => {
    expect(meanAndDeviation(summarise([2]))).toBe('2.00');
    expect(meanAndDeviation(summarise([1, 3]))).toBe('2.00 ± 1.41');
    expect(spread(summarise([1, 3]))).toBe('1 to 3');
    expect(spread(summarise([3]))).toBe('3');
  });

  test('are Markdown with aligned columns', () => {
    const table = markdownTable({ caption: 'C', columns: ['a', ''], rows: [['|x| y', '1']] });
    expect(table).toBe('C:\n\n| a       |     |\n| ------- | --- |\n| \\|x\\| y | 1   |');
  });
});

describe('plots', () => {
  test('of lines have their names and a band', () => {
    const { svg } = linePlot({
      name: 'x',
      title: 'A < B & C',
      x: { name: 'step' },
      y: { name: 'loss', log: 10 },
      lines: [{ name: 'first', points: [1, 2, 3].map((x) => ({ x, y: x, low: x / 2, high: 2 * x })) }],
    });
    for (const text of ['<title>A &lt; B &amp; C</title>', 'step', 'loss', 'first', 'opacity="0.15"']) expect(svg).toContain(text);
    expect(svg).not.toContain('NaN');
  });

  test('of maps have a cell per entry up to the diagonal', () => {
    const map = (name: string) => ({ name, cells: [[0.1], [0.1, 0.2], [0.1, 0.2, 0.9]] });
    const { svg } = heatMapPlot({ name: 'x', title: 'Maps', rows: [[map('left'), map('right')]], largest: 0.5 });
    for (const text of ['Maps', 'left', 'right']) expect(svg).toContain(text);
    expect(svg).not.toContain('NaN');
  });
});

describe('the command line', () => {
  test('has defaults', () => {
    const options = parseOptions(['--data', 'd', '--jobs', '7'], '/home');
    expect(options).toMatchObject({ data: '/home/d', seeds: 3, jobs: 2, quick: false, json: false });
    expect(parseOptions(['--data', 'd', '--quick'], '/home')?.out).not.toBe(options?.out);
    expect(parseOptions(['--help'], '/home')).toBeUndefined();
  });

  test.each([[[]], [['--data', 'd', '--seeds', '0']], [['--data', 'd', '--jobs', 'many']], [['--data', 'd', '--unknown']]])(
    'refuses %j',
    (argv) => {
      expect(() => parseOptions(argv, '/home')).toThrow(UsageError);
    },
  );
});

test('progress is a line per finished run where there is no terminal', () => {
  const lines: string[] = [];
  const other = trainTask('abc', training(PLAN, SOFTMAX, 1));
  let now = 0;
  const progress = progressOn({ write: (text) => lines.push(text) }, [TASK, other], [], () => now);
  progress.step(TASK, 10, 3);
  now = 120_000;
  progress.done(TASK);
  expect(lines).toEqual([
    '[############............] 50 %, 1 of 2 runs, about 2 min left: train power p=4 epsilon=0.01, 2 layers, rate 0.01, seed 1\n',
  ]);
});
