import type { ProgramState } from '../program/program.js';
import type { Circuit, CircuitValue } from './circuit.js';
import type { LayoutCounts } from './layout_family.js';
import type { SlotLayout } from './slot_layout.js';

/** A part of a tensor in one slot vector. */
export interface LoweredPart {
  readonly value: CircuitValue;
  /** Of the tensor, in the part's order. */
  readonly elements: Int32Array;
  readonly layout: SlotLayout;
}

export interface LoweredTensor {
  readonly shape: readonly number[];
  readonly parts: readonly LoweredPart[];
}

/** A circuit with the layouts of its ends; the parts' values are its inputs, and in order, its outputs. */
export interface Lowered {
  readonly circuit: Circuit;
  readonly state?: readonly ProgramState[];
  /** Tensors by layout. */
  readonly layouts: LayoutCounts;
  /** In rotations, roughly, as plans of maps are compared by, with products and levels weighed against one. */
  readonly cost: number;
  readonly inputs: readonly (LoweredTensor & { readonly name: string })[];
  readonly outputs: readonly LoweredTensor[];
}
