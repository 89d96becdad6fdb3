import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RolloutConfig } from "../../src/config/model/types.ts";
import { isGenuine, receiver } from "../support/receiver.ts";
import { repository } from "./cli-process.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

let project: ModelProject;

/** Asks for a prediction and wants it to come from this version. */
const answersAs = (version: string) => ({
  name: "answers",
  every: 1,
  request: {
    path: "/v2/models/demo/infer",
    requests: 5,
    body: { inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] },
    expect: { json: { path: "model_version", value: version } },
  },
});

const configure = (rollout: RolloutConfig) =>
  project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 2, imagePullPolicy: "Never" },
    rollout: { settle: 1, soak: 1, drain: 3, rollbackWindow: 600, ...rollout },
  });

const release = (...more: string[]) =>
  project.command(["release", "--json", "--set", `image=${testImages.green}`, ...more]);

beforeEach(async () => {
  project = await ModelProject.create("gates");
  await configure({});
  await project.result(["up"]);
});

afterEach(async () => {
  await project.remove();
});

describe("gates and hooks on a real cluster", () => {
  test("a bad release is refused before a client sees it, a good one goes through, one that turns bad is taken back", async () => {
    const stop = new AbortController();
    const load = project.startLoad(40, stop.signal);
    try {
      await configure({ gates: [answersAs("2")] });
      const bad = await release("--set", "env.VERSION=3");
      expect(bad.exitCode, bad.stdout).toBe(3);
      expect(bad.stdout).toContain('"verdict":"fail"');
      expect(await project.result(["report"])).toMatchObject({
        outcome: "aborted",
        reason: expect.stringContaining("answers"),
      });
      await configure({
        gates: [
          answersAs("2"),
          { name: "calm", every: 1, run: ["sh", "-c", `test "$MODELSWITCH_PHASE" != soak`] },
        ],
        steps: "50%:1s",
        soak: 60,
      });
      const turned = await release();
      expect(turned.exitCode, turned.stdout).toBe(3);
      expect(await project.result(["report"])).toMatchObject({ outcome: "rolled-back" });
      expect(await versionAt(project.host)).toBe("1");
      const report = await load.stop();
      expect(report.failed, failuresOf(report)).toBe(0);
      expect(Object.keys(report.versions).sort()).toEqual(["1", "2"]);
    } finally {
      stop.abort();
    }
  });

  test.runIf(isSoak)(
    "right answers that are known: a release that has others is refused while it is verified, and shown with the worst of them",
    async () => {
      const cases = [
        { id: "both", input: [1, 2], expected: 3.4 },
        { id: "none", input: [0, 0], expected: 2 },
      ];
      await writeFile(
        join(project.folder, "cases.jsonl"),
        cases.map((one) => `${JSON.stringify(one)}\n`).join(""),
      );
      const golden = {
        cases: "cases.jsonl",
        path: "/v2/models/demo/infer",
        compare: { absolute: 0.001 },
      } as const;
      await configure({
        gates: [
          { name: "ready", every: 1, phases: ["verify"], smoke: { path: "/v2/models/demo" } },
          { name: "known", every: 1, phases: ["verify"], golden },
        ],
      });
      const bad = await release("--set", "env.VERSION=3");
      expect(bad.exitCode, bad.stdout).toBe(3);
      expect(bad.stdout).toMatch(/"name":"known"[^\n]*"verdict":"fail"[^\n]*both/);
      expect(await versionAt(project.host)).toBe("1");
      const good = await release();
      expect(good.exitCode, good.stdout).toBe(0);
      expect(good.stdout).toMatch(/"name":"ready"[^\n]*"verdict":"pass"/);
      expect(good.stdout).toMatch(/"name":"known"[^\n]*"verdict":"pass"/);
      expect(await versionAt(project.host)).toBe("2");
    },
  );

  test("the script of the page on hooks asks the release, and not the live model, wherever that is", async () => {
    const page = await readFile(join(repository, "docs", "hooks.md"), "utf8");
    const script = /### Asking the release\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
    await writeFile(join(project.folder, "ask-release.sh"), script, { mode: 0o755 });
    const log = join(project.folder, "asked.log");
    await writeFile(log, "");
    // What clients get, beside it.
    const ask = [
      "sh",
      "-c",
      `./ask-release.sh | tee -a ${log}; echo " in $MODELSWITCH_PHASE" >> ${log}`,
    ] as const;
    await configure({
      hooks: [
        { name: "ask", after: "verify", run: ask },
        { name: "ask again", after: "cut-over", run: ask },
      ],
    });
    const { exitCode, stdout } = await release();
    expect(exitCode, stdout).toBe(0);
    const lines = (await readFile(log, "utf8")).split("\n").filter((line) => line.includes(" in "));
    expect(lines.map((line) => line.replace(/^.*"model_version":"(\w+)".*( in .*)$/, "$1$2"))).toEqual([
      "2 in verify",
      "2 in cut-over",
    ]);
  });

  test("a container that crashes while the release is watched rolls it back by itself", async () => {
    await configure({ soak: 300 });
    const crashed = { done: false };
    const { exitCode, stdout } = await project.command(
      ["release", "--json", "--set", `image=${testImages.green}`],
      {
        onStart: (child) => {
          child.stdout?.on("data", (text: string) => {
            if (crashed.done || !text.includes('"phase":"soak"')) return;
            crashed.done = true;
            void crashOne();
          });
        },
      },
    );
    expect(exitCode, stdout).toBe(3);
    expect(stdout).toContain("restarted once");
    expect(await versionAt(project.host)).toBe("1");
  });

  test("hooks are run at their time: a program, and an address that verifies the signature", async () => {
    const key = Buffer.from("a key of thirty-two bytes, at least").toString("base64");
    const secret = `whsec_${key}`;
    const address = await receiver({ status: 200 });
    const log = join(project.folder, "hooks.log");
    await writeFile(log, "");
    const tell = `echo "$MODELSWITCH_WHEN $MODELSWITCH_PHASE $MODELSWITCH_SHARE_GREEN" >> ${log}`;
    await configure({
      hooks: [
        { name: "tell", before: "shift", run: ["sh", "-c", tell] },
        { name: "tell again", after: "cut-over", run: ["sh", "-c", tell] },
        { name: "book", after: "soak", url: address.url, secret: { env: "HOOK_KEY" } },
      ],
    });
    const { exitCode, stdout } = await project.command(
      ["release", "--json", "--set", `image=${testImages.green}`],
      { env: { HOOK_KEY: secret } },
    );
    expect(exitCode, stdout).toBe(0);
    expect(await readFile(log, "utf8")).toBe("before shift 0\nafter cut-over 100\n");
    expect(address.received).toHaveLength(1);
    const [received] = address.received;
    if (received === undefined) throw new Error("It was called once.");
    expect(isGenuine(received, secret, Date.now())).toBe(true);
    expect(JSON.parse(received.body)).toMatchObject({
      phase: "soak",
      release: { number: 2, slot: "green" },
    });
    expect(stdout).not.toContain(key);
    expect(JSON.stringify(await project.result(["report"]))).not.toContain(key);
  });
});

/** Has one of the new pods end its process, and waits until the kubelet has started it again. */
async function crashOne(): Promise<void> {
  const { api, name } = project.namespace;
  const path = `/api/v1/namespaces/${name}/pods`;
  const green = async () =>
    (
      await api.json<{ items: PodObject[] }>({
        method: "GET",
        path,
        query: { labelSelector: "version=green" },
      })
    ).items;
  const [pod] = await green();
  if (pod === undefined) throw new Error("Green has pods.");
  // The connection is cut by the end of the process.
  const proxied = `${path}/${pod.metadata.name}:8080/proxy/exit`;
  await api.request({ method: "POST", path: proxied }).catch(() => undefined);
  await until("the container was started again", async () =>
    (await green()).some(({ status }) => (status?.containerStatuses?.[0]?.restartCount ?? 0) > 0),
  );
}

interface PodObject {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly containerStatuses?: readonly { readonly restartCount: number }[] };
}
