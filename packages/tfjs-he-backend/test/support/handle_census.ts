import type { MainModule } from 'node-seal';

/** An object of SEAL's WebAssembly memory. */
interface SealHandle {
  isDeleted(): boolean;
}

function isHandle(value: unknown): value is SealHandle {
  return typeof value === 'object' && value !== null && 'isDeleted' in value;
}

/** Watches everything that SEAL's module makes from now on: its classes, and what their methods and its functions return. */
export function takeHandleCensus(seal: MainModule) {
  const made: { readonly by: string; readonly handle: SealHandle }[] = [];
  const restore: (() => void)[] = [];
  const record = (by: string, value: unknown): unknown => {
    if (isHandle(value) && !made.some(({ handle }) => handle === value)) made.push({ by, handle: value });
    return value;
  };
  type Call = (this: unknown, ...args: unknown[]) => unknown;
  const watch = (owner: object, name: string, wrap: (original: object) => object): void => {
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    if (descriptor === undefined || typeof descriptor.value !== 'function') return;
    Object.defineProperty(owner, name, { ...descriptor, value: wrap(descriptor.value) });
    restore.push(() => Object.defineProperty(owner, name, descriptor));
  };
  for (const [name, member] of Object.entries(seal)) {
    if (typeof member !== 'function') continue;
    const { prototype } = member as { prototype?: object }; // functions of the module have none
    for (const method of Object.getOwnPropertyNames(prototype ?? {})) {
      if (prototype === undefined || method === 'constructor') continue;
      watch(prototype, method, (original) => {
        return function (this: unknown, ...args: unknown[]) {
          return record(`${name}.${method}`, Reflect.apply(original as Call, this, args));
        };
      });
    }
    watch(
      seal,
      name,
      (original) =>
        new Proxy(original, {
          construct: (target, args, of) => record(`new ${name}`, Reflect.construct(target as new () => object, args, of)) as object,
          apply: (target, self, args) => record(name, Reflect.apply(target as Call, self, args)),
        }),
    );
  }
  return {
    get count() {
      return made.length;
    },
    /** What is still there, by what made it. */
    alive: () => made.flatMap(({ by, handle }) => (handle.isDeleted() ? [] : [by])),
    stop() {
      for (const undo of restore) undo();
    },
  };
}
