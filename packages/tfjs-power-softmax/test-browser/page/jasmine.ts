/** What the tests use of jasmine, which is loaded as a script of its own and leaves its functions in the page. */
interface JasmineGlobals {
  readonly jasmine: { getEnv(): JasmineEnvironment };
  readonly describe: Register;
  readonly it: Register;
  readonly expect: (actual: unknown) => unknown;
  readonly beforeAll: (body: () => unknown) => void;
  readonly beforeEach: (body: () => unknown) => void;
}

interface JasmineEnvironment {
  configure(options: { random: boolean }): void;
  addMatchers(matchers: Record<string, () => { compare(actual: unknown, expected?: unknown): { pass: boolean; message: string } }>): void;
  addReporter(reporter: { specDone(result: SpecResult): void }): void;
  execute(): Promise<{ overallStatus: string }>;
}

export type Register = (title: string, body: () => unknown) => void;

export interface SpecResult {
  readonly fullName: string;
  readonly status: string;
  /** Milliseconds. */
  readonly duration: number | null;
  readonly failedExpectations: readonly { readonly message: string; readonly stack?: string }[];
}

export const globals = globalThis as unknown as JasmineGlobals; // the types of another script's globals
export const environment = globals.jasmine.getEnv();
