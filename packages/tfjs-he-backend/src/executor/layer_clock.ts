import { instructionMs } from '../compiler/cost_model.js';
import type { Instruction, Program } from '../program/program.js';
import type { LayerTime, ProgressEvent } from './types.js';

/** The same layer reports again after this long. */
const REPORT_MS = 250;
/** How much of a run's predicted cost counts as measured before it began, so that the first estimates do not jump. */
const PRIOR = 0.02;

/** Time per layer, progress events, and an estimate of the time left: the predicted cost of what remains at the speed seen so far. */
export class LayerClock {
  private readonly layers: { ms: number; from: number; to: number }[];
  private readonly total: number;
  private readonly cost: number;
  private readonly rounds: number;
  private done = 0;
  private doneCost = 0;
  private evaluateMs = 0;
  private roundsDone = 0;
  private waitMs = 0;
  private layer = -1;
  private segment = 0;
  private startedAt = 0;
  private lastEnd = 0;
  private reportedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly program: Program) {
    this.layers = program.layers.map(() => ({ ms: 0, from: -1, to: Number.POSITIVE_INFINITY }));
    this.total = program.segments.reduce((sum, { instructions }) => sum + instructions.length, 0);
    this.cost = program.segments.reduce((sum, { instructions }) => sum + this.costOf(instructions), 0);
    this.rounds = program.segments.filter(({ refreshes }) => refreshes.length > 0).length;
  }

  begin(instruction: Instruction, onProgress: ((event: ProgressEvent) => void) | undefined): void {
    const { layer, level } = instruction;
    const entry = this.layers[layer];
    if (entry !== undefined) {
      entry.from = Math.max(entry.from, level);
      entry.to = Math.min(entry.to, level);
    }
    const now = performance.now();
    if (layer !== this.layer || now - this.reportedAt > REPORT_MS) {
      this.reportedAt = now;
      const { segment, done, total } = this;
      const name = this.program.layers[layer] ?? '';
      const { length: segments } = this.program.segments;
      onProgress?.({ type: 'layer', name, level, segment, segments, done, total, remainingMs: this.remainingMs() });
    }
    this.layer = layer;
    this.startedAt = performance.now();
  }

  /** @param ms what it took, where it did not run between `begin` and now. */
  end(instruction: Instruction, ms = performance.now() - this.startedAt): void {
    const entry = this.layers[instruction.layer];
    if (entry !== undefined) entry.ms += ms;
    const now = performance.now();
    this.evaluateMs += now - this.lastEnd;
    this.lastEnd = now;
    this.done++;
    this.doneCost += this.costOf([instruction]);
  }

  /** A segment begins (again). */
  enter(segment: number): void {
    const before = this.program.segments.slice(0, segment);
    this.segment = segment;
    this.lastEnd = performance.now();
    this.layer = -1;
    this.done = before.reduce((sum, { instructions }) => sum + instructions.length, 0);
  }

  refresh(segment: number, ciphertexts: number, onProgress: ((event: ProgressEvent) => void) | undefined): void {
    onProgress?.({ type: 'refresh', segment, segments: this.program.segments.length, ciphertexts });
  }

  refreshed(ms: number): void {
    this.waitMs += ms;
    this.roundsDone++;
  }

  times(): LayerTime[] {
    return this.layers.map(({ ms, from, to }, i) => ({
      name: this.program.layers[i] ?? '',
      ms,
      fromLevel: from,
      toLevel: Number.isFinite(to) ? to : from,
    }));
  }

  private costOf(instructions: readonly Instruction[]): number {
    const { polyModulusDegree } = this.program.parameters;
    return instructions.reduce((sum, instruction) => sum + instructionMs(instruction, polyModulusDegree), 0);
  }

  private remainingMs(): number {
    const prior = PRIOR * this.cost;
    const speed = (this.evaluateMs + prior) / (this.doneCost + prior || 1);
    const left = this.program.segments.reduce((sum, { instructions }, i) => (i > this.segment ? sum + this.costOf(instructions) : sum), 0);
    const here = this.program.segments[this.segment]?.instructions ?? [];
    const position =
      this.done - this.program.segments.slice(0, this.segment).reduce((sum, { instructions }) => sum + instructions.length, 0);
    const perRound = this.roundsDone > 0 ? this.waitMs / this.roundsDone : 0;
    const roundsLeft = this.rounds - this.program.segments.slice(0, this.segment).filter(({ refreshes }) => refreshes.length > 0).length;
    return (left + this.costOf(here.slice(position))) * speed + roundsLeft * perRound;
  }
}
