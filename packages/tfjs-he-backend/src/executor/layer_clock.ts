import { instructionMs } from '../compiler/cost_model.js';
import type { Instruction, Program } from '../program/program.js';
import type { LayerTime, Progress, ProgressEvent } from './types.js';

/** Progress is reported again after this long. */
const REPORT_MS = 250;
/** How much of a run's predicted cost counts as measured before it began, so that the first estimates do not jump. */
const PRIOR = 0.02;

type Report = (event: ProgressEvent) => void;

/** Time per layer, progress events, and an estimate of the time left: the predicted cost of what remains at the speed seen so far. */
export class LayerClock {
  private readonly layers: { ms: number; from: number; to: number; left: number; started: boolean; ended: boolean }[];
  private readonly total: number;
  private readonly cost: number;
  private readonly rounds: number;
  private done = 0;
  private doneCost = 0;
  /** Most that has been reported as done: operations, and their cost. */
  private reported = { done: 0, cost: 0 };
  /** Predicted cost of all that was evaluated, and the time it took: a segment that is evaluated twice counts twice. */
  private evaluatedCost = 0;
  private evaluateMs = 0;
  private roundsDone = 0;
  private waitMs = 0;
  private segment = 0;
  private startedAt = 0;
  private lastEnd = 0;
  private reportedAt = performance.now();
  private report: Report | undefined;

  constructor(private readonly program: Program) {
    this.layers = program.layers.map(() => ({ ms: 0, from: -1, to: Number.POSITIVE_INFINITY, left: 0, started: false, ended: false }));
    this.total = program.segments.reduce((sum, { instructions }) => sum + instructions.length, 0);
    this.cost = program.segments.reduce((sum, { instructions }) => sum + this.costOf(instructions), 0);
    this.rounds = program.segments.filter(({ refreshes }) => refreshes.length > 0).length;
  }

  /** Before an instruction: reports its layer when it is the first of it, and progress when that is due. */
  begin(instruction: Instruction, onProgress: Report | undefined): void {
    const { layer, level } = instruction;
    this.report = onProgress;
    const entry = this.layers[layer];
    if (entry !== undefined) {
      entry.from = Math.max(entry.from, level);
      entry.to = Math.min(entry.to, level);
    }
    const now = performance.now();
    if (entry?.started === false) {
      entry.started = true;
      onProgress?.({ type: 'layer', ...this.progress(instruction) });
    }
    if (now - this.reportedAt > REPORT_MS) {
      this.reportedAt = now;
      onProgress?.({ type: 'progress', ...this.progress(instruction) });
    }
    this.startedAt = performance.now();
  }

  /**
   * After it: reports the end of its layer when it was the last of it.
   * @param ms what it took, where it did not run between `begin` and now
   */
  end(instruction: Instruction, ms = performance.now() - this.startedAt): void {
    const now = performance.now();
    this.evaluateMs += now - this.lastEnd;
    this.lastEnd = now;
    const cost = this.costOf([instruction]);
    this.evaluatedCost += cost;
    this.doneCost += cost;
    this.done++;
    const entry = this.layers[instruction.layer];
    if (entry === undefined) return;
    entry.ms += ms;
    entry.left--;
    if (entry.left > 0 || entry.ended) return;
    entry.ended = true;
    this.report?.({ type: 'layerEnd', ms: entry.ms, ...this.progress(instruction) });
  }

  /** A segment begins (again). */
  enter(segment: number): void {
    const before = this.program.segments.slice(0, segment);
    this.segment = segment;
    this.lastEnd = performance.now();
    this.done = before.reduce((sum, { instructions }) => sum + instructions.length, 0);
    this.doneCost = before.reduce((sum, { instructions }) => sum + this.costOf(instructions), 0);
    for (const entry of this.layers) entry.left = 0;
    for (const { instructions } of this.program.segments.slice(segment)) {
      for (const { layer } of instructions) {
        const entry = this.layers[layer];
        if (entry !== undefined) entry.left++;
      }
    }
  }

  /** A round of refreshes goes to the client. */
  refresh(segment: number, ciphertexts: number, onProgress: Report | undefined): void {
    onProgress?.({ type: 'refresh', segment, segments: this.program.segments.length, ciphertexts });
  }

  /** It has come back after so long. */
  refreshed(ms: number): void {
    this.waitMs += ms;
    this.roundsDone++;
  }

  /** Of every layer of the program, in its order. */
  times(): LayerTime[] {
    return this.layers.map(({ ms, from, to }, i) => ({
      name: this.program.layers[i] ?? '',
      ms,
      fromLevel: from,
      toLevel: Number.isFinite(to) ? to : from,
    }));
  }

  private progress({ layer, level }: Instruction): Progress {
    const { segment, total, reported } = this;
    reported.done = Math.max(reported.done, this.done);
    reported.cost = Math.max(reported.cost, this.doneCost);
    return {
      name: this.program.layers[layer] ?? '',
      level,
      segment,
      segments: this.program.segments.length,
      done: reported.done,
      total,
      fraction: Math.min(1, reported.cost / (this.cost || 1)),
      remainingMs: this.remainingMs(),
    };
  }

  private costOf(instructions: readonly Instruction[]): number {
    const { polyModulusDegree } = this.program.parameters;
    return instructions.reduce((sum, instruction) => sum + instructionMs(instruction, polyModulusDegree), 0);
  }

  private remainingMs(): number {
    const prior = PRIOR * this.cost;
    const speed = (this.evaluateMs + prior) / (this.evaluatedCost + prior || 1);
    const left = this.program.segments.reduce((sum, { instructions }, i) => (i > this.segment ? sum + this.costOf(instructions) : sum), 0);
    const here = this.program.segments[this.segment]?.instructions ?? [];
    const position =
      this.done - this.program.segments.slice(0, this.segment).reduce((sum, { instructions }) => sum + instructions.length, 0);
    const perRound = this.roundsDone > 0 ? this.waitMs / this.roundsDone : 0;
    const roundsLeft = this.rounds - this.program.segments.slice(0, this.segment).filter(({ refreshes }) => refreshes.length > 0).length;
    return (left + this.costOf(here.slice(position))) * speed + roundsLeft * perRound;
  }
}
