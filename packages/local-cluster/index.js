// In a checkout the sources, in the published package what is built of them.
import { existsSync } from "node:fs";

const source = new URL("./src/index.ts", import.meta.url);
const { localClusters } = await import(
  existsSync(source) ? source.href : new URL("./dist/index.js", import.meta.url).href
);

export { localClusters };
