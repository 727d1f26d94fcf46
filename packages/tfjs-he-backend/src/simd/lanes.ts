import type { Task, TaskKernels } from './threads.js';

/** How many scratch places {@link dealt} uses. */
export function placesFor(items: number, threads: number): number {
  return (items < threads ? 0 : threads) + (items % threads);
}

/** For any number of items. */
export function mostPlaces(threads: number): number {
  return 2 * threads - 1;
}

/**
 * Items dealt to threads: as many for each as there are evenly, one after another in a task whose scratch memory stays in that thread's cache; what is over,
 * a task each. `place` < {@link placesFor} says which scratch memory is the task's own.
 */
export function dealt<T>(items: readonly T[], threads: number, compute: (kernels: TaskKernels, item: T, place: number) => void): Task[] {
  const share = Math.floor(items.length / threads);
  const even = share === 0 ? 0 : threads;
  const lanes = Array.from({ length: even }, (_, place): Task => {
    const own = items.slice(place * share, (place + 1) * share);
    return (kernels) => {
      for (const item of own) compute(kernels, item, place);
    };
  });
  return [
    ...lanes,
    ...items.slice(even * share).map(
      (item, i): Task =>
        (kernels) =>
          compute(kernels, item, even + i),
    ),
  ];
}
