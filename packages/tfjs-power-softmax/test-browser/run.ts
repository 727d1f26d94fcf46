/** Runs the tests in a headless browser, on WebGL: `npm run test:browser -w tfjs-power-softmax [-- --verbose]`. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { withBrowser } from './browser.ts';
import { bundle } from './bundle.ts';

const { files } = createRequire(import.meta.url)('jasmine-core');
const verbose = process.argv.includes('--verbose');

try {
  const script = await bundle();
  process.exitCode = await withBrowser((browser) => runIn(browser, script));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/** @returns exit code */
async function runIn(browser: Browser, script: string): Promise<number> {
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.addScriptTag({ path: join(files.path, 'jasmine.js') });
  await page.addScriptTag({ content: script });
  if (errors.length > 0) throw new Error(errors.join('\n'));
  const { overallStatus, specs } = await page.evaluate(() => window.runTests());

  for (const { fullName, status, duration, failedExpectations } of specs) {
    if (verbose) console.log(`${status.padEnd(7)} ${String(duration).padStart(5)} ms  ${fullName}`);
    for (const { message, stack } of failedExpectations) console.error(`FAILED ${fullName}\n  ${message}\n${stack ?? ''}`);
  }
  const passed = specs.filter(({ status }) => status === 'passed').length;
  console.log(`Chromium ${browser.version()}, WebGL: ${passed} of ${specs.length} tests passed`);
  return overallStatus === 'passed' && passed === specs.length && specs.length > 0 ? 0 : 1;
}
