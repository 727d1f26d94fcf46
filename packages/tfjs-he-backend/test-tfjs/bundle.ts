import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** tfjs-core's tests start a jasmine of their own to set a timeout; ours is the one that runs them. */
const oneJasmine: Plugin = {
  name: 'one jasmine',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^jasmine-core\/lib/ }, ({ path }) => ({ path, namespace: 'stub' }));
    onLoad({ filter: /.*/, namespace: 'stub' }, () => ({ contents: 'exports.core = () => ({});' }));
  },
};

/**
 * tfjs-core's tests with this package's sources and tfjs's ES modules in one file, so that all of them share one engine.
 * @param outfile where to write it
 */
export async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [here('suite.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
    target: 'node22',
    mainFields: ['module', 'main'],
    external: ['node-seal'],
    // tfjs-core does not count its tests among its modules with side effects.
    ignoreAnnotations: true,
    sourcemap: 'linked',
    logLevel: 'error',
    plugins: [oneJasmine],
  });
}
