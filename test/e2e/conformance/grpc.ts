import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { GrpcLoad } from "../grpc-load.ts";
import { ModelProject } from "../model-project.ts";
import { testImages, until } from "../test-cluster.ts";
import type { Stage } from "./stage.ts";

/** A model of its own that speaks gRPC on a port of its own: released in steps, proved over gRPC, and rolled back; no call may fail. */
export async function releasedOverGrpc({ front, controller }: Stage): Promise<void> {
  const project = await ModelProject.create(`grpc-${front.router}`);
  let load: GrpcLoad | undefined;
  try {
    await front.prepare(project, controller);
    await configure(project, {
      router: front.router,
      ingress: { ...front.ingress(project, controller), protocol: "grpc" },
    });
    expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
    load = new GrpcLoad({
      url: controller.url,
      host: project.host,
      ratePerSecond: 30,
      maximumMs: 250_000,
    });
    const calls = load;
    await project.result(["release", "--set", `image=${testImages.green}`]);
    const after = calls.snapshot().versions["2"] ?? 0;
    await until("green answers", async () => (calls.snapshot().versions["2"] ?? 0) > after);
    expect(await project.result(["rollback"])).toMatchObject({ target: "blue" });
    const before = calls.snapshot().versions["1"] ?? 0;
    await until("blue answers", async () => (calls.snapshot().versions["1"] ?? 0) > before);
    const report = await calls.stop();
    load = undefined;
    expect(report.failures).toEqual([]);
    expect(Object.keys(report.versions).toSorted()).toEqual(["1", "2"]);
    // Two-second calls were under way all the time.
    expect(report.slowest).toBeGreaterThan(1900);
    await project.result(["destroy", "--yes"]);
  } finally {
    await load?.stop();
    await project.remove();
  }
}

async function configure(project: ModelProject, settings: Readonly<Record<string, unknown>>): Promise<void> {
  const metadata = {
    method: "inference.GRPCInferenceService/ModelMetadata",
    request: { "1": "demo" },
    from: { kind: "field", path: "2" },
  };
  const config = {
    name: "fraud",
    server: {
      preset: "custom",
      readinessPath: "/v2/health/ready",
      otherPorts: { grpc: 9000 },
      env: { GRPC_PORT: "9000" },
      identity: { path: "/v2/models/demo", from: { kind: "json", path: "versions.0" }, grpc: metadata },
      preStopSleepSeconds: 3,
      longestRequestSeconds: 5,
    },
    namespace: project.namespace.name,
    release: { image: testImages.blue, replicas: 2, imagePullPolicy: "Never" },
    rollout: {
      steps: "10%:1s, 50%:1s",
      settle: 1,
      soak: 1,
      drain: 3,
      rollbackWindow: 600,
      warmUp: { path: "/v2/models/demo", requests: 10 },
    },
    deadlines: { ready: 120, proof: 30 },
    ...settings,
  };
  await writeFile(join(project.folder, "modelswitch.config.json"), JSON.stringify(config));
}
