/**
 * Engine simd in a headless browser: `npm run test:browser -w tfjs-he-backend`. Threads share memory on pages that are isolated from other origins (served with the
 * headers COOP and COEP), and only there; results are Node's to the last bit everywhere.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { withBrowser } from '../../tfjs-power-softmax/test-browser/browser.ts';
import type { Outcome } from './page.ts';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    logLevel: 'warning',
  });
  return outputFiles.map(({ text }) => text).join('\n');
}

/** Serves the page, isolated under /isolated, for as long as `use` takes. */
async function withServer<T>(script: string, use: (origin: string) => Promise<T>): Promise<T> {
  const server = createServer(({ url }, response) => {
    const isScript = url === '/page.js';
    // A worker's script needs the headers of the page that starts it.
    const headers = url === '/plain' ? {} : ISOLATION;
    response.writeHead(200, { ...headers, 'Content-Type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // of a server on a port
  try {
    return await use(`http://127.0.0.1:${port}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

/** What differs from what should be. */
function mistakes(name: string, actual: Outcome, expected: Omit<Outcome, 'ms'>): string[] {
  return (['isolated', 'threads', 'variant', 'digest'] as const)
    .filter((key) => actual[key] !== expected[key])
    .map((key) => `${name}: ${key} is ${actual[key]}, not ${expected[key]}`);
}

try {
  const script = await bundle();
  await import(`data:text/javascript;base64,${Buffer.from(script).toString('base64')}`);
  const { variant, digest } = await globalThis.evaluateHere(1);
  const found = await withServer(script, (origin) =>
    withBrowser(async (browser) => {
      const page = await browser.newPage();
      const wrong: string[] = [];
      for (const [path, isolated] of [
        ['/isolated', true],
        ['/plain', false],
      ] as const) {
        await page.goto(origin + path);
        await page.waitForFunction(() => globalThis.evaluateHere !== undefined);
        for (const threads of [1, 2, 3]) {
          const outcomes = {
            'main thread': await page.evaluate((count) => globalThis.evaluateHere(count), threads),
            ...(isolated ? { worker: await page.evaluate((count) => globalThis.evaluateInWorker(count), threads) } : {}),
          };
          for (const [where, outcome] of Object.entries(outcomes)) {
            const name = `${path}, ${where}, ${threads} asked for`;
            console.log(`${name}: ${outcome.threads} threads, kernels ${outcome.variant}, ${outcome.ms.toFixed(0)} ms`);
            wrong.push(...mistakes(name, outcome, { isolated, threads: isolated && variant === 'fused' ? threads : 1, variant, digest }));
          }
        }
      }
      console.log(
        `Chromium ${browser.version()}, engine simd: ${wrong.length === 0 ? 'as Node, bit for bit' : `${wrong.length} mistakes`}`,
      );
      return wrong;
    }),
  );
  for (const mistake of found) console.error(`FAILED ${mistake}`);
  process.exitCode = found.length === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
