import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { modelswitch, resultOf } from "./cli-process.ts";
import { isSoak } from "./soak.ts";

const name = "ms-older";
const state = mkdtempSync(join(tmpdir(), "modelswitch-version-"));
const env = { MODELSWITCH_STATE: state };

async function cluster(...args: string[]) {
  const result = await modelswitch(["cluster", ...args, "--name", name, "--json"], {
    env,
    // It may build a Kubernetes.
    timeoutMs: 3_600_000,
  });
  return { ...result, document: resultOf(result.stdout) };
}

afterAll(async () => {
  await cluster("down");
  rmSync(state, { recursive: true, force: true });
});

it("a version that is not offered is refused, and nothing is left of the attempt", async () => {
  const refused = await cluster("up", "--kubernetes-version", "1.20");
  expect(refused.exitCode).toBe(2);
  expect(refused.document).toMatchObject({ error: { code: "kubernetes-version-unsupported" } });
  const list = await modelswitch(["cluster", "list", "--json"], { env });
  expect(JSON.parse(list.stdout)).toMatchObject({ clusters: [] });
});

// Where it can't be downloaded, the older Kubernetes takes as long to build as the newer one.
describe.runIf(isSoak)("an older Kubernetes", { timeout: 3_600_000 }, () => {
  it("runs, with everything in it", async () => {
    const up = await cluster("up", "--kubernetes-version", "1.35");
    expect(up.exitCode, up.stdout + up.stderr).toBe(0);
    expect(up.document).toMatchObject({ cluster: { version: "v1.35.4" } });
    const version = await modelswitch(
      ["cluster", "kubectl", "--name", name, "--", "get", "nodes", "-o", "jsonpath={..kubeletVersion}"],
      { env },
    );
    expect(version.stdout).toBe("v1.35.4");
  });

  it("stays what it is when it is started again", async () => {
    expect((await cluster("up")).document).toMatchObject({ cluster: { version: "v1.35.4" } });
    const other = await cluster("up", "--kubernetes-version", "1.36");
    expect(other.exitCode).toBe(2);
    expect(other.document).toMatchObject({ error: { code: "cluster-differs" } });
  });
});
