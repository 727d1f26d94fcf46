/** What a placement of refreshes costs; its parts add up. */
export interface PlacementCosts {
  /** Milliseconds to compute a value (its id in the circuit) at a level; no less at a higher one. */
  readonly valueMs: (id: number, level: number) => number;
  /** Of every refreshed ciphertext. */
  readonly refreshMs: number;
  /** Of every round of refreshes. */
  readonly roundMs: number;
  /** A placement with more rounds than `most` counts as `factor` times as long. */
  readonly rounds?: { readonly most: number; readonly factor: number };
}

/** Milliseconds as placements are compared by. */
export function weighted(ms: number, allRounds: number, { rounds }: PlacementCosts): number {
  return rounds !== undefined && allRounds > rounds.most ? ms * rounds.factor : ms;
}
