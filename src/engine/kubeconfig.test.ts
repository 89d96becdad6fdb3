import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { kubeconfigOf } from "../../test/support/kubeconfig.ts";
import { pinned } from "../kubernetes/source.ts";
import { clusterFile, fixed } from "./kubeconfig.ts";

const contents = kubeconfigOf("https://dev", { prod: "https://prod" });

describe("the cluster that Pulumi is given", () => {
  test("is a file for this user alone, gone afterwards", async () => {
    const file = await clusterFile({ contents, context: "prod" }, {});
    const path = file.path ?? "";
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ "current-context": "prod" });
    expect(statSync(path).mode & 0o077).toBe(0);
    await file.remove();
    expect(existsSync(path)).toBe(false);
  });

  test("is that of a context in the second of two files, and no other can be reached from it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "modelswitch-two-"));
    try {
      writeFileSync(join(folder, "one"), kubeconfigOf("https://one"));
      writeFileSync(join(folder, "two"), kubeconfigOf("https://two", { prod: "https://prod" }));
      // What the user has besides must not come in.
      const env = { KUBECONFIG: `${folder}/one:${folder}/two`, HOME: "/home/ada" };
      const chosen = pinned({ context: "prod" }, "one", env);
      const file = await clusterFile(chosen, { HOME: "/home/ada" });
      const text = readFileSync(file.path ?? "", "utf8");
      expect(JSON.parse(text)).toMatchObject({ "current-context": "prod", contexts: [{ name: "prod" }] });
      expect([text.includes("https://prod"), /https:..(one|two)/.test(text)]).toEqual([true, false]);
      await file.remove();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("stays what it was when the current context of the file changes meanwhile", () => {
    const folder = mkdtempSync(join(tmpdir(), "modelswitch-use-context-"));
    const path = join(folder, "config");
    try {
      writeFileSync(path, contents);
      const chosen = fixed({ path }, {});
      writeFileSync(path, contents.replace('"current-context":"c"', '"current-context":"prod"'));
      expect(fixed(chosen, {})).toMatchObject({ context: "c" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("is the environment's where none was chosen", async () => {
    expect((await clusterFile({}, { KUBECONFIG: "/k" })).path).toBeUndefined();
    expect(fixed({}, { KUBECONFIG: "/k" })).toEqual({});
  });
});
