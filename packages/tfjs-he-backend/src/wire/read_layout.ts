import { type JsonReader, MAX_ELEMENTS } from './json.js';
import { MAX_CIPHERTEXTS, sizeOf, type TensorLayout } from './layout.js';

/** Most inputs, and most outputs, of a program. */
export const MAX_TENSORS = 1024;

/** A layout from parsed JSON: distinct places, one per element, within its ciphertexts and period. */
export function readLayout(json: JsonReader, value: unknown, slots: number): TensorLayout {
  const raw = json.record(value, 'a layout');
  const name = json.text(raw.name, 'a layout name');
  const shape = json.list(raw.shape, `shape of ${name}`, 8).map((n) => json.integer(n, `a dimension of ${name}`, 1, MAX_ELEMENTS));
  const ciphertexts = json.integer(raw.ciphertexts, `ciphertexts of ${name}`, 1, MAX_CIPHERTEXTS);
  const period = json.integer(raw.period, `period of ${name}`, 1, slots);
  if (slots % period !== 0) json.fail(`period of ${name} does not divide the slot count`);
  const slotOf = json.list(raw.slotOf, `slotOf of ${name}`).map((s) => json.integer(s, `a slot of ${name}`, 0, ciphertexts * slots - 1));
  if (slotOf.length !== sizeOf(shape)) json.fail(`slotOf of ${name} has not one place per element`);
  if (slotOf.some((place) => place % slots >= period)) json.fail(`a slot of ${name} is beyond its period`);
  if (new Set(slotOf).size !== slotOf.length) json.fail(`two elements of ${name} share a slot`);
  if (raw.copies === undefined) return { name, shape, ciphertexts, slotOf, period };
  const copies = json.list(raw.copies, `copies of ${name}`, slots).map((c) => json.integer(c, `a copy of ${name}`, 0, period - 1));
  if (copies[0] !== 0 || copies.length * slotOf.length > ciphertexts * period)
    json.fail(`copies of ${name} do not begin with its elements, or are too many`);
  const taken = new Set(copies.flatMap((copy) => slotOf.map((place) => place + copy)));
  if (taken.size !== copies.length * slotOf.length) json.fail(`two copies of elements of ${name} share a slot`);
  if ([...taken].some((place) => place >= ciphertexts * slots || place % slots >= period))
    json.fail(`a copy of ${name} is beyond its period`);
  return { name, shape, ciphertexts, slotOf, period, copies };
}
