import { existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { kubeconfigOf } from "../../../test/support/kubeconfig.ts";
import { testConfig } from "../../../test/support/rollout-bench.ts";
import { runHook } from "../../calls/ask.ts";
import { subject } from "../../calls/calls.fixture.ts";
import { toGlobalOptions } from "../../cli/global-options.ts";
import { resolveKubeconfig } from "../../cli/kubeconfig.ts";
import { resolveRollout } from "../../config/rollout/rollout.ts";
import { systemClock } from "../../core/clock.ts";
import { pinned } from "../../kubernetes/source.ts";
import { callIo } from "./call-io.ts";

const none = { exists: existsSync, localClusters: () => Promise.reject(new Error("Nobody asks for one.")) };

test("a modelswitch that a hook runs sees the same model in the same cluster, and no secret", async () => {
  // The file's own current context is another one.
  const file = kubeconfigOf("https://west", { east: "https://east" });
  const chosen = pinned({ contents: file, context: "east" });
  const config = testConfig({
    folder: import.meta.dirname,
    kubeconfig: chosen,
    rollout: resolveRollout({
      hooks: [
        { name: "print", before: "shift", run: ["replaced"] },
        { name: "tell", after: "shift", url: "https://a.b/c", secret: { env: "KEY" } },
      ],
      notifications: [{ url: { env: "SLACK" }, format: "slack" }],
    }),
  });
  // As if the user had chosen the cluster by its name, and another folder.
  const user = { PATH: process.env.PATH, MODELSWITCH_CLUSTER: "one", MODELSWITCH_FOLDER: "../x" };
  const io = callIo({
    config,
    clock: systemClock,
    env: { ...user, KEY: "hush", SLACK: "hush" },
    kubernetesContext: "east",
  });
  const [print] = config.rollout.hooks;
  if (print === undefined) throw new Error("There is a hook.");
  const write = `require("node:fs").writeSync(1, JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(MODELSWITCH_(C|K|F|M|E)|KUBE|KEY|SLACK)/.test(name)))))`;
  const { evidence } = await runHook(
    io,
    {
      ...print,
      call: { kind: "command", run: [process.execPath, "-e", write], timeoutMs: 20_000, retries: 0 },
    },
    subject,
    new AbortController().signal,
  );
  const env = JSON.parse(evidence) as Record<string, string>;
  expect(Object.keys(env).filter((name) => ["KEY", "SLACK"].includes(name))).toEqual([]);
  const globals = toGlobalOptions({}, config.folder, env);
  expect(globals).toMatchObject({ configPath: config.file, model: "fraud", environment: "production" });
  const seen = await resolveKubeconfig(globals, env, { kubeconfig: "/another" }, { dependencies: none });
  expect(seen).toMatchObject({ contents: chosen.contents, context: "east" });
  // A kubectl knows of no other cluster.
  expect(readFileSync(env.KUBECONFIG ?? "", "utf8")).not.toContain("west");
  expect(statSync(env.KUBECONFIG ?? "").mode & 0o077).toBe(0);
  // The test runner ends its processes without an "exit".
  rmSync(dirname(env.KUBECONFIG ?? ""), { recursive: true });
});
