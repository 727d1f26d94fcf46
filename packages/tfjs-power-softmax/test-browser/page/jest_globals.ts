/** Takes the place of @jest/globals in the browser: what the tests use of it, on jasmine. */
import { environment, globals, type Register } from './jasmine.js';

export const { beforeAll, beforeEach, expect } = globals;
export const describe = withEach(globals.describe);
export const test = withEach(globals.it);

/** Adds `each(table)(title, body)`: one call per row, whose cells are the arguments of the body and of the title's %s, %i and %j. */
function withEach(register: Register) {
  const each = (table: readonly unknown[]) => (title: string, body: (...cells: unknown[]) => unknown) => {
    for (const row of table) {
      const cells = Array.isArray(row) ? row : [row];
      const unused = [...cells];
      const filled = title.replace(/%[sij]/g, (format) => (format === '%j' ? JSON.stringify(unused.shift()) : String(unused.shift())));
      register(filled, () => body(...cells));
    }
  };
  return Object.assign((title: string, body: () => unknown) => register(title, body), { each });
}

// Jest's toThrow takes the class of the error; jasmine's takes a value.
beforeEach(() => environment.addMatchers({ toThrow: () => ({ compare: compareThrown }) }));

function compareThrown(action: unknown, expected?: unknown) {
  if (typeof action !== 'function') throw new TypeError('toThrow is for functions');
  try {
    action();
  } catch (error) {
    const pass = typeof expected === 'function' ? error instanceof expected : expected === undefined;
    return { pass, message: `threw ${String(error)}` };
  }
  return { pass: false, message: 'threw nothing' };
}
