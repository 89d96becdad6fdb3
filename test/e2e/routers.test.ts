import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../src/kubernetes/connect.ts";
import { installKinds, type RunningTraefik, startTraefik } from "./controllers.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { configureReleases } from "./release-project.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

/** The same of every router whose controller runs here. */

const ratePerSecond = 30;
const previewHeader = "X-Modelswitch-Preview";
const kubeconfigPath = process.env.MODELSWITCH_TEST_KUBECONFIG ?? "";

let traefik: RunningTraefik;
let project: ModelProject;

/** What the configuration says beside what every model has. */
const settingsOf: Readonly<Record<string, () => Readonly<Record<string, unknown>>>> = {
  traefik: () => ({ ingress: { host: project.host, endpoints: [traefik.url] } }),
  // The proof finds the address in the Gateway's status, and the port at its listener.
  "gateway-api": () => ({ ingress: { host: project.host, gateway: { name: "edge" } } }),
};

beforeAll(async () => {
  const { api } = connect({ path: kubeconfigPath });
  await installKinds(api);
  traefik = await startTraefik(kubeconfigPath);
}, 300_000);

afterAll(async () => {
  await traefik?.stop();
});

afterEach(async () => {
  await project?.remove();
});

async function makeGateway(): Promise<void> {
  const { api, name } = project.namespace;
  const group = "gateway.networking.k8s.io/v1";
  const put = (path: string, body: object) =>
    api.json({
      method: "PATCH",
      path: `/apis/${group}/${path}`,
      query: { fieldManager: "tests", force: true },
      body,
    });
  await put("gatewayclasses/traefik", {
    apiVersion: group,
    kind: "GatewayClass",
    metadata: { name: "traefik" },
    spec: { controllerName: "traefik.io/gateway-controller" },
  });
  await put(`namespaces/${name}/gateways/edge`, {
    apiVersion: group,
    kind: "Gateway",
    metadata: { name: "edge" },
    spec: {
      gatewayClassName: "traefik",
      listeners: [{ name: "web", protocol: "HTTP", port: traefik.port }],
    },
  });
  await until("the Gateway has an address", async () => {
    const found = await api.find<{ status?: { addresses?: readonly unknown[] } }>(
      `/apis/${group}/namespaces/${name}/gateways/edge`,
    );
    return (found?.status?.addresses ?? []).length > 0;
  });
}

async function create(router: string): Promise<void> {
  project = await ModelProject.create(`router-${router}`);
  project.ingressUrl = traefik.url;
  if (router === "gateway-api") await makeGateway();
}

const at = (slot?: string) =>
  versionAt(project.host, slot === undefined ? {} : { [previewHeader]: slot }, traefik.url);

async function splitNow(): Promise<unknown> {
  const { split } = await project.result(["status"]);
  return split;
}

describe.each(["traefik", "gateway-api"] as const)("the router %s", (router) => {
  test("takes a release live in steps and back, with no request failed", { timeout: 540_000 }, async () => {
    await create(router);
    const settings = { router, ...settingsOf[router]?.() };
    await configureReleases(project, {
      streamSeconds: 2,
      steps: "25%:15s, 75%:8s",
      rollbackWindow: 600,
      settings,
    });
    // The idle slot has no endpoints yet, and must not keep the other one from being served.
    expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
    expect(await at()).toBe("1");
    expect(await at("blue")).toBe("1");

    const stop = new AbortController();
    const load = project.startLoad(ratePerSecond, stop.signal);
    try {
      await project.edit((text) => text.replace(testImages.blue, testImages.green));
      const releasing = project.result(["release"]);
      await until(
        "green has a quarter",
        async () => {
          const split = await splitNow();
          return JSON.stringify(split) === JSON.stringify({ blue: 75, green: 25 });
        },
        120_000,
      );
      expect([await at("blue"), await at("green")]).toEqual(["1", "2"]);
      const seen: string[] = [];
      for (let index = 0; index < 200; index++) seen.push(await at());
      const share = seen.filter((version) => version === "2").length;
      expect(seen.filter((version) => version !== "1" && version !== "2")).toEqual([]);
      // Five standard deviations around 50 of 200: controllers that deal in turn are nearer.
      expect(share).toBeGreaterThan(20);
      expect(share).toBeLessThan(80);

      expect(await releasing).toMatchObject({ ended: "live", target: "green" });
      expect(await splitNow()).toEqual({ blue: 0, green: 100 });
      expect(await at()).toBe("2");
      expect([await at("blue"), await at("green")]).toEqual(["1", "2"]);

      await project.result(["rollback"]);
      expect(await splitNow()).toEqual({ blue: 100, green: 0 });
      expect(await at()).toBe("1");
      const report = await load.stop();
      expect(report.failed, failuresOf(report)).toBe(0);
      expect(Object.keys(report.versions).sort()).toEqual(["1", "2"]);
    } finally {
      stop.abort();
    }
  });

  test("is found in `status`, changed back by nobody, and gone after `destroy`", {
    timeout: 300_000,
  }, async () => {
    await create(router);
    await project.configure({ router, ...settingsOf[router]?.() });
    await project.result(["up"]);
    expect(await project.result(["switch", "green"])).toMatchObject({ target: "green" });
    expect(await project.result(["status"])).toMatchObject({ live: "green", router, changedByHand: [] });
    // Pulumi's state has followed: there is nothing left to do.
    expect(await project.result(["plan"])).toMatchObject({ changes: [] });
    await project.result(["destroy", "--yes"]);
    expect(await at()).toBe("status 404");
  });
});

test("a listener that does not take the route is named before anything is written", async () => {
  await create("gateway-api");
  const gateway = { name: "edge", sectionName: "other" };
  await project.configure({ router: "gateway-api", ingress: { host: project.host, gateway } });
  const { exitCode, stdout } = await project.command(["up", "--json"]);
  expect(exitCode).toBe(2);
  expect(stdout).toContain("gateway-listener-refuses");
});
