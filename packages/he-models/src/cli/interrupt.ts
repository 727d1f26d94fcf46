const INTERRUPTED = 130;

/** Aborts on the first Ctrl-C, so that what runs can end as it should; the second ends the process. */
export function signalOfInterrupt(): AbortSignal {
  const interrupt = new AbortController();
  process.on('SIGINT', () => {
    if (interrupt.signal.aborted) process.exit(INTERRUPTED);
    interrupt.abort(Object.assign(new Error('interrupted'), { code: 'INTERRUPTED' }));
  });
  return interrupt.signal;
}
