import { createRequire, Module } from "node:module";

/**
 * What Pulumi's SDK loads as soon as it is imported, and uses only where a program serializes functions (dynamic providers,
 * code paths): half of the time of importing it. TypeScript is the user's, or an old one that Pulumi brings along.
 */
const neededLater = ["@npmcli/arborist", "normalize-package-data", "@pulumi/pulumi/typescript-shim.js"];

/** The SDK that modules at `from` import loads these when they are first used. Without effect where it has them otherwise. */
export function deferLoading(from: string): void {
  const outer = createRequire(from);
  let require: NodeJS.Require;
  try {
    require = createRequire(outer.resolve("@pulumi/pulumi"));
  } catch {
    return;
  }
  for (const name of neededLater) {
    let file: string;
    try {
      file = require.resolve(name);
    } catch {
      continue;
    }
    if (require.cache[file] === undefined) defer(require, file);
  }
}

/** `require.cache` is documented as a place where modules may be put. */
function defer(require: NodeJS.Require, file: string): void {
  let real: object | undefined;
  const load = (): object => {
    if (real === undefined) {
      delete require.cache[file];
      real = require(file) as object;
    }
    return real;
  };
  const exports = new Proxy(
    {},
    {
      // Marked as a module, it is handed on as it is instead of being copied, which would load it.
      get: (_, key) => {
        if (key === "__esModule") return true;
        const found: unknown = Reflect.get(load(), key);
        return found === undefined && key === "default" ? load() : found;
      },
      has: (_, key) => key in load(),
      ownKeys: () => Reflect.ownKeys(load()),
      getOwnPropertyDescriptor: (_, key) => {
        const found = Reflect.getOwnPropertyDescriptor(load(), key);
        return found === undefined ? undefined : { ...found, configurable: true };
      },
    },
  );
  const module = new Module(file);
  Object.assign(module, { filename: file, loaded: true, exports });
  require.cache[file] = module;
}
