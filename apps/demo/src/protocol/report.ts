import { z } from 'zod';
import { engineName } from './engine.js';

/** What a server process tells the process that started it. */
export const serverReport = z.discriminatedUnion('type', [
  z.object({ type: z.literal('listening'), url: z.url(), model: z.string(), engine: engineName }),
  z.object({ type: z.literal('failed'), code: z.string(), message: z.string() }),
]);
export type ServerReport = z.infer<typeof serverReport>;
