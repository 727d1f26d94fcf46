import { runInContext } from 'node:vm';
import { TestEnvironment } from 'jest-environment-node';

/**
 * Node's environment, with the language's own globals as constants of the context's scripts. Tests run in a context of `node:vm`, which asks an interceptor for every
 * property of the global object, `Math` in a loop too: a hundred times slower than what scripts declare, which is looked up first.
 */
export default class extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    const names = Object.getOwnPropertyNames(this.global).filter((name) => LANGUAGE.test(name));
    runInContext(`const { ${names.join(', ')} } = globalThis;`, this.getVmContext());
  }
}

/** No host objects: tests may replace these. */
const LANGUAGE =
  /^(Math|Number|BigInt|String|Boolean|Symbol|Object|Array|ArrayBuffer|DataView|Map|Set|WeakMap|WeakSet|\w*Int\d+Array|Uint8ClampedArray|Float\d+Array|\w*Error|parseInt|parseFloat|isNaN|isFinite)$/;
