import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OperationResult } from "../../src/engine/stack.ts";
import type { ModelProject } from "./model-project.ts";
import { ProviderStack } from "./provider-stack.ts";
import { imageOf, releasedProject } from "./release-project.ts";
import { TestNamespace, versionAt } from "./test-cluster.ts";
import { declareZoo } from "./zoo.ts";

describe("the official provider and the embedded one on the same stack", () => {
  const embedded = { MODELSWITCH_PROVIDER: "embedded" };
  const official = { MODELSWITCH_PROVIDER: "official" };

  describe("objects of 34 kinds", () => {
    let namespace: TestNamespace;
    beforeAll(async () => {
      namespace = await TestNamespace.create("official");
    });
    afterAll(async () => {
      await namespace.remove();
    });

    const stackOf = (name: string) => {
      const stack = new ProviderStack(namespace, name);
      const by = (env: Readonly<Record<string, string>>) =>
        stack.with(() => declareZoo(namespace.name), { env: { ...process.env, ...env } });
      return { stack, by };
    };
    const differences = ({ changes }: OperationResult) =>
      changes
        .map(
          ({ operation, kind, properties }) => `${operation} ${kind} ${properties?.map(({ path }) => path)}`,
        )
        .sort();
    /** Empty values in which the official provider finds a change now and then in what it has made itself, too. */
    const expectOnlyOwn = (result: OperationResult) =>
      expect(["update ClusterRole rules", "update Secret metadata.labels"]).toEqual(
        expect.arrayContaining(differences(result)),
      );

    test("made by the embedded one: the official one sees in them what it sees in its own, refreshes and deletes them", async () => {
      const { stack, by } = stackOf("embedded");
      expect((await (await by(embedded)).up()).changes).toHaveLength(34);
      await by(official);
      expectOnlyOwn(await stack.preview());
      expectOnlyOwn(await stack.refresh());
      await by(embedded);
      expect(differences(await stack.preview())).toEqual([]);
      expect(differences(await stack.refresh())).toEqual([]);
      expect((await (await by(official)).destroy()).changes).toHaveLength(34);
    });

    test("made by the official one: the embedded one sees no change, refreshes and deletes them", async () => {
      const { stack, by } = stackOf("official");
      expect((await (await by(official)).up()).changes).toHaveLength(34);
      expectOnlyOwn(await stack.preview());
      await by(embedded);
      expect(differences(await stack.preview())).toEqual([]);
      expect(differences(await stack.refresh())).toEqual([]);
      expect(differences(await stack.up())).toEqual([]);
      await by(official);
      expectOnlyOwn(await stack.refresh());
      await by(embedded);
      expect(differences(await stack.preview())).toEqual([]);
      expect((await stack.destroy()).changes).toHaveLength(34);
    });
  });

  describe("a model", () => {
    let project: ModelProject;
    beforeAll(async () => {
      project = await releasedProject("official", { streamSeconds: 1, rollbackWindow: 600 });
    });
    afterAll(async () => {
      await project.remove();
    });

    const result = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
      const { exitCode, stdout, stderr } = await project.command([...args, "--json"], { env });
      expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
      return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
    };

    test("made with the embedded one is released, rolled back and deleted with the official one; no request fails", async () => {
      const stop = new AbortController();
      const load = project.startMixedLoad({
        ratePerSecond: 30,
        streamSeconds: 1,
        streamEvery: 30,
        signal: stop.signal,
      });
      try {
        expect(await result(["plan"], official)).toMatchObject({ changes: [] });
        const image = (version: string) => ["--set", `image=${imageOf(version)}`];
        await result(["release", ...image("2")], official);
        expect(await versionAt(project.host)).toBe("2");
        expect(await result(["plan"], embedded)).toMatchObject({ changes: [] });
        await result(["rollback"], official);
        expect(await versionAt(project.host)).toBe("1");
        await result(["release", ...image("2")], embedded);
        expect(await result(["plan"], official)).toMatchObject({ changes: [] });
        await result(["rollback"], embedded);
        expect(await result(["plan"], official)).toMatchObject({ changes: [] });
        const report = await load.stop();
        expect(report.failed, project.explain(report)).toBe(0);
      } finally {
        stop.abort();
      }
      await result(["destroy", "--yes"], official);
    });
  });
});
