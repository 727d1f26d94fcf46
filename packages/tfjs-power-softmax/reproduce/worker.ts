import { startWasm } from './backend.ts';
import { readCorpus } from './corpus.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { runTask } from './run_task.ts';

// One process of the pool: `worker.ts DATA WORK`. It does the tasks it is sent, one at a time, until its parent hangs up.
const [data = '', work = ''] = process.argv.slice(2);
const corpus = readCorpus(data);
await startWasm();
const send = (message: FromWorker): void => {
  process.send?.(message);
};
process.on('message', ({ task }: ToWorker) => {
  try {
    runTask(task, corpus, work, (step, loss) => send({ kind: 'progress', step, loss }));
    send({ kind: 'done' });
  } catch (error) {
    send({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
// Ctrl-C reaches every process of a terminal; the parent decides.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit());
send({ kind: 'ready' });
