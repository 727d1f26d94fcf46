import { type Circuit, CircuitBuilder, type CircuitOp, type CircuitValue, circuitDepths, operandsOf, type SumTerm } from './circuit.js';
import { withOperands } from './levels.js';

/**
 * Pass (lazy relinearisation and rescaling): products that only meet in one sum are added before they are relinearised and rescaled, once for all
 * of them. Only products of the same depth: one that is ready much earlier would keep two ciphertexts alive instead of one, and refreshed.
 */
export function fuseProducts(circuit: Circuit): Circuit {
  const uses = countUses(circuit);
  const depths = circuitDepths(circuit);
  const fusable = new Map<CircuitValue, readonly SumTerm[]>();
  for (const value of circuit.values) {
    if (value.op.kind !== 'sum') continue;
    const alone = value.op.terms.filter(
      ({ source, step, coefficient }) => source.op.kind === 'product' && step === 0 && coefficient !== 0 && (uses.get(source) ?? 0) === 1,
    );
    const deepest = Math.max(...alone.map(({ source }) => depths.get(source) ?? 0));
    const together = alone.filter(({ source }) => depths.get(source) === deepest);
    if (together.length > 1) fusable.set(value, together);
  }
  return fusable.size === 0 ? circuit : rebuild(circuit, fusable);
}

function countUses({ values, outputs }: Circuit): ReadonlyMap<CircuitValue, number> {
  const uses = new Map<CircuitValue, number>();
  for (const value of [...values.flatMap(operandsOf), ...outputs]) uses.set(value, (uses.get(value) ?? 0) + 1);
  return uses;
}

function rebuild(circuit: Circuit, fusable: ReadonlyMap<CircuitValue, readonly SumTerm[]>): Circuit {
  const { values, outputs } = circuit;
  const builder = new CircuitBuilder();
  const moved = new Map<CircuitValue, CircuitValue>();
  const now = (value: CircuitValue): CircuitValue => moved.get(value) ?? value;
  const gone = new Set([...fusable.values()].flatMap((terms) => terms.map(({ source }) => source)));
  for (const value of values) {
    if (gone.has(value)) continue;
    const terms = fusable.get(value);
    moved.set(
      value,
      terms === undefined ? builder.add(value.label, withOperands(value.op, operandsOf(value).map(now))) : fuse(builder, value, terms, now),
    );
  }
  return { ...circuit, values: builder.values, outputs: outputs.map(now) };
}

function fuse(
  builder: CircuitBuilder,
  value: CircuitValue,
  terms: readonly SumTerm[],
  now: (value: CircuitValue) => CircuitValue,
): CircuitValue {
  const pairs = terms.flatMap(({ source: { op }, coefficient }) =>
    op.kind === 'product' ? [{ a: now(op.a), b: now(op.b), coefficient }] : [],
  );
  const products = builder.add(value.label, { kind: 'products', pairs });
  const { op } = value;
  const rest = op.kind === 'sum' ? op.terms.filter((term) => !terms.includes(term)) : [];
  const bias = op.kind === 'sum' ? op.bias : null;
  if (rest.length === 0 && bias === null) return products;
  const sum: CircuitOp = {
    kind: 'sum',
    terms: [{ source: products, step: 0, coefficient: 1 }, ...rest.map((term) => ({ ...term, source: now(term.source) }))],
    bias,
  };
  return builder.add(value.label, sum);
}
