import { readFile } from "node:fs/promises";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { custom } from "../../src/component/servers/custom.ts";
import { type ProcessOptions, resultOf } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { RestrictedAccount } from "./restricted-account.ts";
import { testImages, versionAt } from "./test-cluster.ts";

let project: ModelProject;

const server = custom({
  readinessPath: "/v2/health/ready",
  identity: { path: "/v2/models/demo", from: { kind: "header", name: "x-model-version" } },
  preStopSleepSeconds: 3,
  longestRequestSeconds: 5,
  metrics: { port: 8080, path: "/metrics" },
  draining: { gauges: ["test_server_requests_in_progress"] },
});

beforeAll(async () => {
  project = await ModelProject.create("care");
  await project.configure({
    server,
    slots: undefined,
    release: {
      image: testImages.blue,
      replicas: 1,
      imagePullPolicy: "Never",
      resources: { requests: { cpu: "50m", memory: "32Mi" } },
    },
    rollout: { settle: 0, soak: 0, drain: 900, rollbackWindow: 0 },
  });
  await project.result(["up"]);
});

afterAll(async () => {
  await project.remove();
});

interface EventLine {
  readonly type: string;
  readonly id?: string;
  readonly state?: string;
  readonly detail?: string;
  readonly code?: string;
}

/** Runs a command, and hands on its events as they come. */
async function watched(
  args: readonly string[],
  onEvent: (event: EventLine) => void,
  options: ProcessOptions = {},
) {
  let rest = "";
  return await project.command([...args, "--json"], {
    ...options,
    onStart: (child) => {
      child.stdout?.on("data", (text: string) => {
        const lines = `${rest}${text}`.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (line !== "") onEvent(JSON.parse(line) as EventLine);
      });
      options.onStart?.(child);
    },
  });
}

describe("room for a release", () => {
  test("is known beforehand, and what does not fit is refused before anything is written", async () => {
    expect(await project.result(["plan"])).toMatchObject({
      release: { replicas: 1, requests: { cpu: 0.05, memory: 32 * 2 ** 20 }, room: "fits" },
    });
    const before = await project.result(["history"]);
    const refused = await project.command(["release", "--json", "--set", "gpus=1"]);
    expect(refused.exitCode, refused.stdout).toBe(1);
    expect(resultOf(refused.stdout)).toMatchObject({
      error: {
        code: "capacity-short",
        message: expect.stringContaining("0 of 0 nvidia.com/gpu are free on 1 node"),
      },
    });
    expect(await project.result(["history"])).toEqual(before);
  });

  test("cannot be seen by an account of the namespace, and can with the optional ClusterRole", async () => {
    const account = await RestrictedAccount.create(project.namespace, "room");
    const { api, kubeconfigPath } = project.namespace;
    const authority = /certificate-authority-data: (\S+)/.exec(await readFile(kubeconfigPath, "utf8"))?.[1];
    const kubeconfig = await account.kubeconfig(api.server, authority);
    const plan = async () => {
      const { stdout, stderr } = await project.command(["plan", "--json"], {
        env: { KUBECONFIG: kubeconfig },
      });
      return { ...resultOf(stdout), stderr };
    };
    await account.allow({ model: "fraud" });
    await account.until(true, "list", { group: "", resource: "pods" });
    expect(await plan()).toMatchObject({
      release: { room: "unknown", why: expect.stringContaining("may not") },
    });
    await account.allow({ model: "fraud", withOptional: true });
    await account.until(true, "list", { group: "", resource: "nodes", inCluster: true });
    expect(await plan()).toMatchObject({ release: { room: "fits" } });
  });
});

describe("draining", () => {
  test("goes on as long as the old slot answers a request, and no longer", async () => {
    const stop = new AbortController();
    let slow: Promise<number> | undefined;
    const seen: string[] = [];
    const { exitCode, stdout, stderr } = await watched(
      ["release", "--set", `image=${testImages.green}`],
      (event) => {
        // The last moment at which a request still goes to the old slot.
        if (event.id === "write-shift" && event.state === "started") {
          slow = request(`${process.env.MODELSWITCH_TEST_INGRESS_URL}/slow?ms=600000`, {
            headers: { host: project.host },
            headersTimeout: 0,
            signal: stop.signal,
          }).then(
            ({ statusCode }) => statusCode,
            () => 0,
          );
        }
        if (event.id !== "drain-blue") return;
        seen.push(`${event.state}: ${event.detail ?? ""}`);
        if (event.detail === "in-progress gauge of 1 pod: 1") stop.abort();
      },
    );
    expect(exitCode, `${stdout}\n${stderr}`).toBe(0);
    expect(seen).toContain("progress: in-progress gauge of 1 pod: 1");
    expect(seen.at(-1)).toBe("done: in-progress gauge of 1 pod: 0");
    expect(await slow).toBe(0);
    expect(await versionAt(project.host)).toBe("2");
  });
});
