import type { Parameters } from '../parameters/parameters.js';
import type { Program, Refresh, Register } from '../program/program.js';
import { sizeOf, type TensorLayout } from '../wire/layout.js';
import { type CircuitValue, operandsOf, type SumTerm } from './circuit.js';
import type { CircuitWork, CircuitWorkItem } from './circuit_cost.js';
import type { CostEngine } from './costs.js';
import { emitBicyclic } from './emit_bicyclic.js';
import { emitLinear } from './emit_linear.js';
import { emitMaskedMatMul } from './emit_masked_matmul.js';
import { emitMatMul, sumOfProducts } from './emit_matmul.js';
import { bug, Emitter } from './emitter.js';
import type { LeveledCircuit } from './levels.js';
import type { Lowered, LoweredPart } from './lowered.js';
import { programWork } from './work.js';

/**
 * Pass: turns a leveled circuit into instructions. Every segment computes, on demand, what its refreshes (the last one: the outputs) need;
 * every ciphertext between operations has the canonical scale of its level.
 */
export function emitProgram(lowered: Lowered, leveled: LeveledCircuit, parameters: Parameters): Program {
  return new ProgramEmitter(lowered, leveled, parameters).run();
}

/** An engine's work for every value: what {@link circuitCost} needs to compare placements of refreshes without emitting them. */
export function measureWork(lowered: Lowered, leveled: LeveledCircuit, parameters: Parameters, engine: CostEngine): CircuitWork {
  const emitter = new ProgramEmitter(lowered, leveled, parameters);
  const work = programWork(emitter.run(), engine);
  const byValue = new Map<number, CircuitWorkItem[]>();
  for (const { value, segment, from, to } of emitter.spans) {
    const own = leveled.level[value] ?? 0;
    const items = (work[segment] ?? []).slice(from, to).flat();
    byValue.set(
      leveled.origin[value] ?? -1,
      items.map(({ name, primes, count }) => ({ name, count, above: primes - 1 - own })),
    );
  }
  return byValue;
}

class ProgramEmitter {
  private readonly emitter: Emitter;
  private readonly registers = new Map<number, Register>();
  /** Where the instructions of every value (by its id) are. */
  readonly spans: { readonly value: number; readonly segment: number; readonly from: number; readonly to: number }[] = [];

  constructor(
    private readonly lowered: Lowered,
    private readonly leveled: LeveledCircuit,
    private readonly parameters: Parameters,
  ) {
    this.emitter = new Emitter(parameters);
  }

  run(): Program {
    const { circuit, segment } = this.leveled;
    const { emitter, parameters } = this;
    for (const value of circuit.values) {
      if (value.op.kind !== 'input') continue;
      this.registers.set(value.id, emitter.newRegister({ level: parameters.maxLevel, scale: parameters.levelScale(parameters.maxLevel) }));
    }
    const refreshes = circuit.values.filter((value) => value.op.kind === 'refresh' && this.isUsed(value));
    const rounds = Math.max(0, ...refreshes.map((value) => segment[value.id] ?? 0));
    for (let round = 1; round <= rounds; round++) {
      emitter.endSegment(refreshes.filter((value) => segment[value.id] === round).map((value) => this.emitRefresh(value)));
    }
    const outputs = circuit.outputs.map((value, i) =>
      emitter.adjust(this.emit(value), circuit.kept?.has(i) ? parameters.maxLevel : parameters.refreshLevel),
    );
    emitter.endSegment([]);
    let next = 0;
    return {
      format: 'he-program',
      version: 2,
      parameters: literalOf(parameters),
      layers: emitter.layers,
      inputs: this.lowered.inputs.map(({ name, shape, parts }) => ({
        registers: parts.map(({ value }) => this.inputRegister(value)),
        layout: { ...tensorLayout(name, shape, parts, parameters.slots), ...copiesOf(parts) },
      })),
      outputs: this.lowered.outputs.map(({ shape, parts }, i) => ({
        registers: parts.map(() => outputs[next++] ?? 0),
        layout: tensorLayout(`output_${i}`, shape, parts, parameters.slots),
      })),
      ...(this.lowered.state === undefined ? {} : { state: this.lowered.state }),
      layouts: this.lowered.layouts,
      constants: emitter.constants,
      segments: emitter.segments,
      registers: emitter.registers,
      galoisSteps: [...emitter.galoisSteps].sort((a, b) => a - b),
    };
  }

  private inputRegister({ op: input, label }: CircuitValue): Register {
    const value = this.leveled.circuit.values.find(({ op }) => op.kind === 'input' && input.kind === 'input' && op.name === input.name);
    const register = value === undefined ? undefined : this.registers.get(value.id);
    if (register === undefined) throw bug(`input '${label}' has no register`);
    return register;
  }

  private isUsed({ id }: CircuitValue): boolean {
    return (this.leveled.level[id] ?? -1) >= 0;
  }

  private emitRefresh(value: CircuitValue): Refresh {
    const { emitter, parameters } = this;
    if (value.op.kind !== 'refresh') throw bug('not a refresh');
    const from = emitter.adjust(this.emit(value.op.source), parameters.refreshLevel);
    const to = emitter.newRegister({ level: parameters.maxLevel, scale: parameters.levelScale(parameters.maxLevel) });
    this.registers.set(value.id, to);
    return { from, to };
  }

  /** The register of a value, computed now if it is not there yet. */
  private emit(value: CircuitValue): Register {
    const before = this.registers.get(value.id);
    if (before !== undefined) return before;
    for (const operand of operandsOf(value)) this.emit(operand);
    this.emitter.setLayer(value.label);
    const first = this.emitter.emitted.length;
    const register = this.emitOp(value);
    this.registers.set(value.id, register);
    this.spans.push({ value: value.id, segment: this.emitter.segments.length, from: first, to: this.emitter.emitted.length });
    return register;
  }

  private emitOp(value: CircuitValue): Register {
    const { emitter } = this;
    const level = this.leveled.level[value.id] ?? this.parameters.refreshLevel;
    const { op } = value;
    switch (op.kind) {
      case 'linear':
        return emitLinear(
          emitter,
          op.terms.map(({ source, plan }) => ({ register: this.emit(source), plan })),
          level,
        );
      case 'sum':
        return this.emitSum(op.terms, op.bias, level);
      case 'fold': {
        let acc = emitter.adjust(this.emit(op.source), level);
        for (const stride of op.strides) acc = emitter.add(acc, emitter.rotate(acc, stride));
        return acc;
      }
      case 'product': {
        const a = emitter.adjust(this.emit(op.a), level + 1);
        const out = emitter.multiply(a, emitter.adjust(this.emit(op.b), level + 1));
        emitter.relinearize(out);
        emitter.rescale(out);
        return out;
      }
      case 'products': {
        const pairs = op.pairs.map(({ a, b, coefficient }) => ({
          x: this.multiple(emitter.adjust(this.emit(a), level + 1), coefficient),
          y: emitter.adjust(this.emit(b), level + 1),
        }));
        const out = sumOfProducts(emitter, pairs);
        emitter.rescale(out);
        return out;
      }
      case 'bicyclic':
        return emitBicyclic(emitter, op.grid, { a: this.emit(op.a), b: this.emit(op.b) }, level);
      case 'matmul': {
        const operands = { a: this.emit(op.a), b: this.emit(op.b), maskOnA: this.leveled.maskOnA.has(value.id) };
        const emitVariant = op.grid.doubled ? emitMatMul : emitMaskedMatMul;
        return emitVariant(emitter, op.variant, op.grid, operands, level);
      }
      default:
        throw bug(`'${op.kind}' is not computed in a segment`);
    }
  }

  /** By additions: `coefficient` is small. */
  private multiple(x: Register, coefficient: number): Register {
    let total = x;
    for (let i = 1; i < Math.abs(coefficient); i++) total = this.emitter.add(total, x);
    return coefficient < 0 ? this.emitter.negate(total) : total;
  }

  private emitSum(terms: readonly SumTerm[], bias: Float64Array | null, level: number): Register {
    const { emitter } = this;
    let total: Register | null = null;
    // Positive terms first, so that a subtraction has something to subtract from.
    for (const { source, step, coefficient } of [...terms].sort((x, y) => y.coefficient - x.coefficient)) {
      const term = emitter.rotate(emitter.adjust(this.emit(source), level), step);
      for (let i = 0; i < Math.abs(coefficient); i++) {
        if (total === null) total = coefficient > 0 ? term : emitter.negate(term);
        else total = coefficient > 0 ? emitter.add(total, term) : emitter.sub(total, term);
      }
    }
    if (total === null) throw bug('a sum has no terms');
    return bias === null ? total : emitter.addPlain(total, bias);
  }
}

/** The parts' layouts as one; the period is that of the longest, with which the others' contents repeat as well. */
function tensorLayout(name: string, shape: readonly number[], parts: readonly LoweredPart[], slots: number): TensorLayout {
  const slotOf = new Array<number>(sizeOf(shape)).fill(0);
  for (const [ciphertext, { elements, layout }] of parts.entries()) {
    elements.forEach((element, i) => {
      slotOf[element] = ciphertext * slots + (layout.slotOf[i] ?? 0);
    });
  }
  return { name, shape, ciphertexts: parts.length, slotOf, period: Math.max(...parts.map(({ layout }) => layout.period)) };
}

/** What the client repeats, of an input in one part. */
function copiesOf(parts: readonly LoweredPart[]): Pick<TensorLayout, 'copies'> {
  const [only] = parts;
  return parts.length > 1 || only === undefined || only.layout.copies.length === 1 ? {} : { copies: only.layout.copies };
}

function literalOf(parameters: Parameters): Program['parameters'] {
  const { polyModulusDegree, coeffModulus, securityBits, refreshLevel, valueBits } = parameters;
  return { polyModulusDegree, coeffModulus, securityBits, refreshLevel, valueBits };
}
