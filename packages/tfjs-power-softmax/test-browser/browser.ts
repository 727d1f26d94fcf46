import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium as driver } from 'playwright-core';

/** WebGL on the processor (SwiftShader), so that every machine computes the same. */
const FLAGS = ['--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'];

const INSTALLED: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  linux: ['/usr/bin/google-chrome', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/snap/bin/chromium', '/usr/bin/microsoft-edge'],
  darwin: ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`),
  win32: [process.env.PROGRAMFILES, process.env['PROGRAMFILES(X86)'], process.env.LOCALAPPDATA].flatMap((folder) =>
    folder === undefined
      ? []
      : ['Google\\Chrome\\Application\\chrome.exe', 'Microsoft\\Edge\\Application\\msedge.exe'].map((file) => join(folder, file)),
  ),
};

/**
 * Starts a headless Chromium and stops it, with all it wrote, when `use` is done. In this order: `CHROME_PATH`; the Chromium that comes
 * inside the npm package @sparticuz/chromium (Linux on x64 only; it needs no system packages); an installed Chrome, Chromium or Edge.
 *
 * @throws Error that says what to install, when there is none
 */
export async function withBrowser<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'webgl-test-'));
  try {
    const browser = await driver.launch({ executablePath: await findBrowser(scratch), args: FLAGS, artifactsDir: scratch });
    try {
      return await use(browser);
    } finally {
      await browser.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function findBrowser(scratch: string): Promise<string> {
  const wanted = process.env.CHROME_PATH;
  if (wanted !== undefined && wanted !== '') {
    if (existsSync(wanted)) return wanted;
    throw new Error(`CHROME_PATH names ${wanted}, which does not exist. Point it at Chrome, Chromium or Edge, or unset it.`);
  }
  if (process.platform === 'linux' && process.arch === 'x64') return unpackChromium(scratch);
  const installed = INSTALLED[process.platform]?.find((path) => existsSync(path));
  if (installed !== undefined) return installed;
  throw new Error(
    `No browser found for ${process.platform} on ${process.arch}. Install Google Chrome, Chromium or Microsoft Edge, or set CHROME_PATH to one.`,
  );
}

/** The package unpacks into the temporary folder, with the libraries that a bare system lacks if it believes to be on AWS Lambda. */
async function unpackChromium(folder: string): Promise<string> {
  process.env.TMPDIR = folder;
  process.env.AWS_LAMBDA_JS_RUNTIME = 'nodejs24.x';
  const { default: chromium } = await import('@sparticuz/chromium');
  return chromium.executablePath();
}
