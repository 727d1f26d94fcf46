import { fileURLToPath } from 'node:url';

/** Jest configuration shared by all workspaces: native ESM, TypeScript through SWC (no type checking: `npm run typecheck` does that). */
export default {
  testEnvironment: fileURLToPath(new URL('jest.environment.mjs', import.meta.url)),
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  setupFilesAfterEnv: [fileURLToPath(new URL('jest.setup.mjs', import.meta.url))],
  // TensorFlow.js greets on the console whenever its CPU backend starts.
  silent: true,
  testTimeout: 60000,
};
