import { type Task, taskCost, taskKey } from './tasks.ts';

/** Where progress is written to: `process.stderr`, or what stands for it in a test. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const BAR = 24;

/** Reports finished runs: a bar that is redrawn on a terminal, a line per run elsewhere. */
export interface Progress {
  readonly step: (task: Task, step: number, loss: number) => void;
  readonly done: (task: Task) => void;
  readonly end: () => void;
}

/** @param all every task of the plan @param finished those that were done before @param now milliseconds */
export function progressOn(
  terminal: Terminal,
  all: readonly Task[],
  finished: readonly Task[],
  now: () => number = () => performance.now(),
): Progress {
  const costOf = (tasks: readonly Task[]): number => tasks.reduce((sum, task) => sum + taskCost(task), 0);
  const total = costOf(all);
  const before = costOf(finished);
  const start = now();
  const running = new Map<string, { readonly task: Task; readonly step: number; readonly loss: number }>();
  let [done, count] = [before, finished.length];

  const line = (): string => {
    const partial = [...running.values()].reduce((sum, { task, step }) => sum + (taskCost(task) * step) / task.train.steps, 0);
    const share = Math.min(1, (done + partial) / total);
    const fresh = done + partial - before;
    const minutes = fresh <= 0 ? undefined : ((now() - start) / 60_000) * ((total - done - partial) / fresh);
    const left = minutes === undefined ? '' : `, about ${Math.ceil(minutes)} min left`;
    const bar = '#'.repeat(Math.round(BAR * share)).padEnd(BAR, '.');
    return `[${bar}] ${(100 * share).toFixed(0)} %, ${count} of ${all.length} runs${left}`;
  };
  const redraw = (): void => {
    const status = [
      line(),
      ...[...running.values()].map(({ task, step, loss }) => `${taskName(task)} ${step}/${task.train.steps} ${loss.toFixed(3)}`),
    ];
    terminal.write(`\r\u001b[2K${status.join('; ').slice(0, (terminal.columns ?? 120) - 1)}`);
  };
  return {
    step: (task, step, loss) => {
      running.set(taskKey(task), { task, step, loss });
      if (terminal.isTTY === true) redraw();
    },
    done: (task) => {
      running.delete(taskKey(task));
      done += taskCost(task);
      count += 1;
      if (terminal.isTTY === true) redraw();
      else terminal.write(`${line()}: ${taskName(task)}\n`);
    },
    end: () => {
      if (terminal.isTTY === true) terminal.write('\n');
    },
  };
}

/** What a task is, for people. */
export function taskName({ kind, train: { model, range, learningRate } }: Task): string {
  const power = model.attention === 'power' ? ` p=${model.p} epsilon=${model.epsilon}` : '';
  const loss = range === undefined ? '' : ' range loss';
  return `${kind} ${model.attention}${power}${loss}, ${model.layers} layers, rate ${learningRate}, seed ${model.seed}`;
}
