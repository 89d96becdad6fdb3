import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { LoadRun } from "../../demo/load.ts";
import { makeEdgeGateway } from "./edge-gateway.ts";
import { ModelProject } from "./model-project.ts";
import { configureReleases } from "./release-project.ts";
import { isSoak } from "./soak.ts";
import { versionAt } from "./test-cluster.ts";
import { traefikOfFile } from "./traefik-of-file.ts";

/** A model moves under load: to another controller, to another provider of that one, and back to where it began. */

const ratePerSecond = 25;
const streamSeconds = 3;
const clusterUrl = process.env.MODELSWITCH_TEST_INGRESS_URL ?? "";
const gatewayGroup = "gateway.networking.k8s.io/v1";

const traefik = traefikOfFile();
let project: ModelProject;

afterEach(async () => {
  await project?.remove();
});

type Router = "nginx" | "traefik" | "gateway-api";

/** The goal is what the configuration says. */
async function configure(router: Router): Promise<void> {
  const ingress = {
    host: project.host,
    ...(router === "traefik" ? { endpoints: [traefik.url] } : {}),
    ...(router === "gateway-api" ? { gateway: { name: "edge" } } : {}),
  };
  // Where a proof is to fail nobody waits long for it.
  const deadlines = { ready: 120, proof: 15 };
  const settings = { router, ingress, deadlines };
  await configureReleases(project, { streamSeconds, rollbackWindow: 600, settings });
}

async function create(prefix: string): Promise<void> {
  project = await ModelProject.create(prefix);
  await configure("nginx");
  await project.result(["up"]);
}

const paths: Readonly<Record<Router, readonly string[]>> = {
  nginx: ["networking.k8s.io/v1/NS/ingresses/fraud", "networking.k8s.io/v1/NS/ingresses/fraud-canary"],
  traefik: ["traefik.io/v1alpha1/NS/ingressroutes/fraud", "traefik.io/v1alpha1/NS/traefikservices/fraud"],
  "gateway-api": [`${gatewayGroup}/NS/httproutes/fraud`],
};

/** Routers of which there are objects; of one that is there in part, too. */
async function made(): Promise<Router[]> {
  const { api, name } = project.namespace;
  const found: Router[] = [];
  for (const [router, all] of Object.entries(paths) as [Router, readonly string[]][]) {
    const there = await Promise.all(
      all.map((path) => api.find(`/apis/${path.replace("/NS/", `/namespaces/${name}/`)}`)),
    );
    if (there.some((one) => one !== undefined)) found.push(router);
  }
  return found;
}

/** Clients of one of the two controllers, with streams and slow requests. */
function clientsOf(url: string, signal: AbortSignal): LoadRun {
  project.ingressUrl = url;
  return project.startMixedLoad({ ratePerSecond, streamSeconds, slowMs: 2000, streamEvery: 25, signal });
}

async function noneFailed(load: LoadRun, where: string): Promise<void> {
  const report = await load.stop();
  expect(report.failed, `${where}: ${project.explain(report)}`).toBe(0);
  expect(report.requests, where).toBeGreaterThan(0);
}

/** Runs `migrate` with a kill at each of these points, and then to its end. */
async function migrate(args: readonly string[], kills: readonly string[]): Promise<Record<string, unknown>> {
  for (const point of kills) {
    const { stdout, exitCode } = await project.command(["migrate", "--yes", "--json", ...args], {
      env: {
        NODE_OPTIONS: `--import=${join(import.meta.dirname, "fault-point.ts")}`,
        MODELSWITCH_TEST_FAULT_POINTS: point,
      },
    });
    expect(exitCode, `${point} was not come to:\n${stdout}`).toBeNull();
    expect(await versionAt(project.host, {}, project.ingressUrl), `killed at ${point}`).toBe("1");
  }
  return await project.result(["migrate", "--yes", ...args]);
}

/** Points in their order: all of them in the long run, one in the ordinary one. */
const killedAt = (one: string, points: readonly string[]) => (isSoak ? points : [one]);

const whileMade = killedAt("done:migrate-beside", [
  "started:migrate-beside",
  "done:migrate-beside",
  "started:prove-beside",
  "done:prove-beside",
]);
const whileRemoved = killedAt("started:migrate-removing", [
  "done:prove-clients",
  "started:migrate-removing",
  "done:migrate-removing",
  "done:prove-removing",
]);
const whileShared = killedAt("done:migrate-beside", [
  "started:migrate-trial",
  "done:migrate-trial",
  "done:prove-trial",
  "started:migrate-beside",
  "done:migrate-beside",
  "done:prove-beside",
  "started:migrate-removing",
  "done:migrate-removing",
]);

describe("a model under load moves", () => {
  test("from nginx to Traefik's own objects, on to the Gateway API, and back, without a failed request", {
    timeout: isSoak ? 1_800_000 : 400_000,
  }, async () => {
    await create("migrate");
    await makeEdgeGateway(project, traefik);
    const stop = new AbortController();
    const { signal } = stop;
    try {
      const atCluster = clientsOf(clusterUrl, signal);
      await configure("traefik");
      const refused = await project.command(["up", "--json"]);
      expect(refused.exitCode).toBe(2);
      expect(refused.stdout).toContain("modelswitch migrate");

      expect(await migrate([], whileMade)).toMatchObject({ state: "both", to: { endpoints: [traefik.url] } });
      expect(await made()).toEqual(["nginx", "traefik"]);
      expect(await project.result(["status"])).toMatchObject({
        router: "nginx",
        migration: { from: "nginx", to: "traefik", stage: "clients" },
      });
      // DNS: whoever connects from now on is led to the other one.
      let clients = clientsOf(traefik.url, signal);
      await noneFailed(atCluster, "the old controller, until the last of its clients has gone");
      expect(await migrate(["--moved"], whileRemoved)).toMatchObject({ state: "moved" });
      expect(await made()).toEqual(["traefik"]);

      // One controller, another of its providers: nobody has to move.
      await configure("gateway-api");
      expect(await migrate(["--from-endpoint", traefik.url], whileShared)).toMatchObject({
        state: "moved",
        sameAddress: true,
      });
      expect(await made()).toEqual(["gateway-api"]);
      expect(await project.result(["plan"])).toMatchObject({ changes: [] });

      await configure("nginx");
      const planned = await project.result(["migrate", "--plan"]);
      expect(planned).toMatchObject({ state: "planned", sameAddress: false });
      expect(await made()).toEqual(["gateway-api"]);
      expect(await migrate([], isSoak ? whileMade : [])).toMatchObject({ state: "both" });
      const gone = clients;
      clients = clientsOf(clusterUrl, signal);
      const waiting = project.result([
        ...["migrate", "--yes", "--wait-idle", "4s", "--wait-at-most", "2m"],
        ...["--metrics", traefik.metricsUrl],
      ]);
      await noneFailed(gone, "the controller that is left");
      expect(await waiting).toMatchObject({ state: "moved", idle: { kind: "counted" } });
      expect(await made()).toEqual(["nginx"]);
      expect(await project.result(["plan"])).toMatchObject({ changes: [] });
      await noneFailed(clients, "the controller that it came back to");
    } finally {
      stop.abort();
    }
  });

  test("and is taken back; what cannot be proved never shows", { timeout: 300_000 }, async () => {
    await create("migrate-back");
    const stop = new AbortController();
    try {
      const clients = clientsOf(clusterUrl, stop.signal);
      // The controller there does not read Traefik's own objects: nobody would serve the new ones.
      const args = ["migrate", "--yes", "--json", "--to", "traefik", "--endpoint", clusterUrl];
      const unseen = await project.command(args);
      expect(unseen.exitCode).toBe(1);
      expect(unseen.stdout).toContain("was removed again");
      expect(await made()).toEqual(["nginx"]);

      const begun = await project.result(["migrate", "--yes", "--to", "traefik", "--endpoint", traefik.url]);
      expect(begun).toMatchObject({ state: "both" });
      expect(await project.result(["migrate", "--abort"])).toMatchObject({ state: "both" });
      expect(await project.result(["migrate", "--abort", "--moved"])).toMatchObject({ state: "moved" });
      expect(await made()).toEqual(["nginx"]);
      await noneFailed(clients, "clients who never moved");
    } finally {
      stop.abort();
    }
  });
});
