import { readFileSync } from "node:fs";

/** The version out of package.json, which is two folders above in a checkout and in the published package. */
export function packageVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}
