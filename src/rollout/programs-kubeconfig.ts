import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { KubeconfigSource } from "../kubernetes/source.ts";

/**
 * The path of a kubeconfig that leads to this one cluster, whatever the current context of the user's own file is. It is written
 * when the first program asks for it, for this user alone, and goes with this process.
 */
export function programsKubeconfig({ contents, path }: KubeconfigSource): () => string | undefined {
  if (contents === undefined) return () => path;
  let written: string | undefined;
  return () => {
    if (written !== undefined) return written;
    const folder = mkdtempSync(join(tmpdir(), "modelswitch-kubeconfig-"));
    written = join(folder, "config");
    writeFileSync(written, contents, { mode: 0o600 });
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    return written;
  };
}
