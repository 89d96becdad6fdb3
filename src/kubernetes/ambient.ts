import type { KubeconfigSource } from "./connect.ts";

/** Programs that are evaluated afresh have modules of their own, but the same process: so it is kept there. */
const key = Symbol.for("modelswitch.ambient-cluster");

interface Holder {
  [key]?: KubeconfigSource;
}

/**
 * Names the cluster of the ambient provider while a program runs in this process, for code of the program that looks at the
 * cluster beside the provider. Returns what restores the former one.
 */
export function setAmbientCluster(source: KubeconfigSource): () => void {
  const holder = globalThis as Holder;
  const former = holder[key];
  holder[key] = source;
  return () => {
    if (former === undefined) delete holder[key];
    else holder[key] = former;
  };
}

/** The cluster of the ambient provider; the environment's where nothing else was said. */
export function ambientCluster(): KubeconfigSource {
  return (globalThis as Holder)[key] ?? {};
}
