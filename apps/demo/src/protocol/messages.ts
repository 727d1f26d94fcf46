/** JSON messages from server to client, checked on arrival. */
import { z } from 'zod';
import { DemoError } from '../errors.js';
import { engineName } from './engine.js';

const count = z.number().int().min(0);
const milliseconds = z.number().min(0);
/** Shown on a terminal, so without control characters. */
const text = z
  .string()
  .max(1000)
  .regex(/^\P{Cc}*$/u);

export const errorReply = z.object({ error: z.object({ code: text, message: text }) });
export type ErrorReply = z.infer<typeof errorReply>;

export const manifestReply = z.object({
  model: text,
  engine: engineName,
  /** That share every operation. */
  threads: z.int().positive(),
  /** Exact size of the upload of evaluation keys. */
  evaluationKeyBytes: count,
  /** For `createClient` of tfjs-he-backend, which validates it. */
  manifest: z.unknown(),
});
export type ManifestReply = z.infer<typeof manifestReply>;

export const sessionReply = z.object({ session: z.string().regex(/^[\w-]{16,64}$/), expiresInMs: count });
export type SessionReply = z.infer<typeof sessionReply>;

export const layerTime = z.object({ name: text, ms: milliseconds, fromLevel: count, toLevel: count });
export type LayerTime = z.infer<typeof layerTime>;

const progress = {
  name: text,
  level: count,
  segment: count,
  segments: count,
  done: count,
  total: count,
  fraction: z.number().min(0).max(1),
  remainingMs: milliseconds,
};

/** What the server says while a question is evaluated; `resumed` comes first on a second connection, `done` follows the outputs, `failed` ends the run. */
export const runEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('layer'), ...progress }),
  z.object({ type: z.literal('progress'), ...progress }),
  z.object({ type: z.literal('layerEnd'), ms: milliseconds, ...progress }),
  z.object({ type: z.literal('resumed'), segment: count }),
  z.object({ type: z.literal('refresh'), segment: count, segments: count, ciphertexts: count }),
  z.object({
    type: z.literal('done'),
    layers: z.array(layerTime).max(10_000),
    evaluateMs: milliseconds,
    refreshMs: milliseconds,
    refreshes: count,
  }),
  z.object({ type: z.literal('failed'), code: text, message: text }),
]);
export type RunEvent = z.infer<typeof runEvent>;

/** @throws DemoError PROTOCOL when `json` is not JSON or not of the schema. */
export function parseJson<T>(schema: z.ZodType<T>, json: string): T {
  const parsed = schema.safeParse(jsonValue(json));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new DemoError(
    'PROTOCOL',
    `the server sent an unexpected message (${issue?.path.join('.')}: ${issue?.message}): use the same version`,
  );
}

function jsonValue(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw new DemoError('PROTOCOL', 'the server sent something that is not JSON: check the URL', { cause });
  }
}
