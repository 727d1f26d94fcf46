import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Tests written for jest and Node run as they are: on the built package, on jasmine, and on WebGL in place of their backends. */
const forTheBrowser: Plugin = {
  name: 'for the browser',
  setup({ onResolve }) {
    onResolve({ filter: /^(\.\.\/)+src\/.*\.js$/ }, ({ path }) => ({ path: here(path.replace(/^.*?src\//, '../dist/')) }));
    onResolve({ filter: /^@jest\/globals$/ }, () => ({ path: here('page/jest_globals.ts') }));
    onResolve({ filter: /\/support\/backend\.js$/ }, () => ({ path: here('page/backend.ts') }));
  },
};

/** The page's script: the tests, the built package and tfjs with the backends `webgl` and `cpu`. */
export async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here('page/main.ts')],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2023',
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [forTheBrowser],
  });
  return outputFiles.map(({ text }) => text).join('\n');
}
