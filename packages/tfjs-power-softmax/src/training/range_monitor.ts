import * as tf from '@tensorflow/tfjs-core';
import { Callback } from '@tensorflow/tfjs-layers';
import { formatIntervals } from '../ranges/format_intervals.js';
import { observeRanges, type RangeSite } from '../ranges/recorder.js';
import { type SiteInterval, siteInterval, union } from '../ranges/site_interval.js';

export interface RangeMonitorArgs {
  /** Receives the table of every epoch. Default `console.log`; `null` prints nothing. */
  readonly print?: ((table: string) => void) | null;
}

/** Scalars on the backend, read when the step is over. */
interface Extremes {
  readonly site: Omit<RangeSite, 'values'>;
  readonly smallest: tf.Tensor;
  readonly largest: tf.Tensor;
}

/**
 * Callback of `model.fit` and `fitDataset` that records the interval of every function to be approximated over the training batches of each
 * epoch, with its kappa, and prints them after the epoch. Works with and without range loss:
 *
 *     await model.fit(x, y, { epochs: 5, callbacks: [new RangeMonitor()] });
 *
 * In loops of your own, wrap each step in {@link RangeMonitor.watch} and call {@link RangeMonitor.endEpoch}. Costs two reductions per site
 * and step. The intervals are those of the weights while they train: calibration, not this, decides the polynomials.
 */
export class RangeMonitor extends Callback {
  /** Intervals of the epochs that have ended, in order; empty ones for epochs without a report. */
  readonly history: (readonly SiteInterval[])[] = [];
  private readonly print: ((table: string) => void) | null;
  private readonly running = new Map<string, SiteInterval>();
  private pending: Extremes[] = [];
  private stopObserving: (() => void) | undefined;

  constructor({ print = (table) => console.log(table) }: RangeMonitorArgs = {}) {
    super();
    this.print = print;
  }

  /** Intervals so far in this epoch, or of the last one where this has none yet, in the order of the forward pass. */
  intervals(): readonly SiteInterval[] {
    return this.running.size > 0 ? [...this.running.values()] : (this.history.at(-1) ?? []);
  }

  /** Runs one synchronous training step and records what its layers report. */
  watch<T>(step: () => T): T {
    this.start(() => true);
    try {
      const result = step();
      for (const { site, smallest, largest } of this.pending) this.extend(site, [smallest.dataSync()[0], largest.dataSync()[0]]);
      return result;
    } finally {
      this.stop();
    }
  }

  /** Ends the epoch: its intervals go to the history and are printed. */
  endEpoch(): readonly SiteInterval[] {
    const intervals = [...this.running.values()];
    this.running.clear();
    this.history.push(intervals);
    this.print?.(formatIntervals(intervals));
    return intervals;
  }

  /** Stops watching. `model.fit` does so after every batch; where it throws in the middle of one, the next forward pass does. */
  stop(): void {
    this.stopObserving?.();
    this.stopObserving = undefined;
    for (const { smallest, largest } of this.pending) tf.dispose([smallest, largest]);
    this.pending = [];
  }

  override async onTrainBegin(): Promise<void> {
    this.stop();
    this.running.clear();
  }

  override async onBatchBegin(): Promise<void> {
    // fit validates before it ends the last batch; only the training step runs under a gradient tape.
    this.start(() => {
      // Nothing tells a callback that fit has thrown, but the model, absent outside of fit, knows; tfjs' types hide the flag.
      if (Reflect.get(this.model ?? {}, 'isTraining') === false) this.stop();
      return this.stopObserving !== undefined && tf.engine().state.gradientDepth > 0;
    });
  }

  override async onBatchEnd(): Promise<void> {
    // Not dataSync: the GPU backends would wait.
    const read = this.pending.map(async ({ site, smallest, largest }) => {
      const [[lower], [upper]] = await Promise.all([smallest.data(), largest.data()]);
      return { site, interval: [lower, upper] as const };
    });
    for (const { site, interval } of await Promise.all(read)) this.extend(site, interval);
    this.stop();
  }

  override async onEpochEnd(): Promise<void> {
    this.endEpoch();
  }

  override async onTrainEnd(): Promise<void> {
    this.stop();
  }

  private start(wanted: () => boolean): void {
    this.stop();
    this.stopObserving = observeRanges(({ values, ...site }) => {
      if (!wanted()) return;
      const [smallest, largest] = tf.tidy(() => [tf.keep(tf.min(values)), tf.keep(tf.max(values))]);
      this.pending.push({ site, smallest, largest });
    });
  }

  private extend(site: Extremes['site'], [lower, upper]: readonly [number | undefined, number | undefined]): void {
    const seen = siteInterval(site.name, site.function, [lower ?? Number.NaN, upper ?? Number.NaN]);
    const before = this.running.get(site.name);
    this.running.set(site.name, before === undefined ? seen : union(before, seen));
  }
}
