import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { routerNamed } from "../../src/component/routers/factory.ts";
import { objectPath } from "../../src/core/object-kind.ts";
import { routerNames } from "../../src/core/router-names.ts";
import { connect } from "../../src/kubernetes/connect.ts";
import { cases } from "./conformance/cases.ts";
import { startContour } from "./conformance/contour.ts";
import { startEnvoyGateway } from "./conformance/envoy-gateway.ts";
import { type ControllerOfTests, columnOf, fronts, notRun } from "./conformance/fronts.ts";
import { Matrix } from "./conformance/matrix.ts";
import { Stage } from "./conformance/stage.ts";
import { installKinds, judged, type RunningController, startTraefik, traefikClass } from "./controllers.ts";
import { makeEdgeGateway } from "./edge-gateway.ts";
import { ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";

/** The same of every router whose controller runs here. */

const kubeconfigPath = process.env.MODELSWITCH_TEST_KUBECONFIG ?? "";
const api = () => connect({ path: kubeconfigPath }).api;
const matrix = new Matrix(
  fronts.map(columnOf),
  cases.map(({ name }) => name),
);
const controllers: Partial<Record<ControllerOfTests, RunningController>> = {};
const starting = {
  traefik: startTraefik,
  contour: startContour,
  "envoy-gateway": startEnvoyGateway,
} satisfies Record<ControllerOfTests, (kubeconfigPath: string) => Promise<RunningController>>;

async function controllerOf(name: ControllerOfTests): Promise<RunningController> {
  const running = controllers[name] ?? (await starting[name](kubeconfigPath));
  controllers[name] = running;
  return running;
}

beforeAll(async () => {
  await installKinds(api());
}, 300_000);

afterAll(async () => {
  for (const running of Object.values(controllers)) await running.stop();
  await api().request({
    method: "DELETE",
    path: `/apis/networking.k8s.io/v1/ingressclasses/${traefikClass.name}`,
  });
  console.log(`\n${matrix}\n`);
});

describe.each(fronts.map((front) => ({ front, column: columnOf(front) })))(
  "the router $column",
  ({ front, column }) => {
    let stage: Stage;

    beforeAll(async () => {
      stage = await Stage.create(front, await controllerOf(front.controller));
    }, 1_800_000);

    afterAll(async () => {
      await stage?.remove();
    });

    for (const { name, lacking, isLong, run, refusal } of cases) {
      const router = routerNamed(front.router);
      const capability = lacking(router);
      const refused = refusal?.lacking(front);
      const takesLong = isLong?.(router) === true;
      if (capability !== undefined) matrix.set(column, name, { state: "no", capability });
      else if (takesLong && !isSoak) matrix.set(column, name, { state: "long" });
      else
        test(name, { timeout: takesLong ? 3_600_000 : 300_000 }, async () => {
          matrix.set(column, name, { state: "failed" });
          if (refusal !== undefined && refused !== undefined) {
            await refusal.show(stage, refused);
            matrix.set(column, name, { state: "refused", lacking: refused });
            return;
          }
          await run(stage);
          matrix.set(column, name, { state: "passed" });
        });
    }
  },
);

test("every router is in the matrix, or it is said why not; nothing in it is open", () => {
  const tried = new Set<string>(fronts.map(({ router }) => router));
  expect(routerNames.filter((name) => !tried.has(name) && notRun[name] === undefined)).toEqual([]);
  expect(matrix.holes(), `\n${matrix}`).toEqual([]);
});

test.each(judged)(
  "the objects of the router %s are what its kinds take, every field of them",
  async (name) => {
    const project = await ModelProject.create("kit-kinds");
    const router = routerNamed(name);
    const can = router.capabilities;
    const objects = router.objects({
      model: "fraud",
      namespace: project.namespace.name,
      routing: { main: "blue", candidate: "green", weight: can.weights ? 25 : 0 },
      ingress: {
        host: project.host,
        ...(router.isForGrpc
          ? {}
          : { path: "/fraud", also: [{ path: "/exact", pathType: "Exact" as const }] }),
        // Load balancers of AWS have their certificates elsewhere, and Istio takes a Gateway as a whole.
        ...(name === "alb" ? {} : { tls: [{ secretName: "certificate" }] }),
        className: "edge",
        ...(can.timeout ? { timeout: 120 } : {}),
        ...(can.bodySize ? { maxBodySize: "64Mi" } : {}),
        ...(can.backendProtocol
          ? { protocol: router.isForGrpc ? ("grpc" as const) : ("https" as const) }
          : {}),
        ...(router.needsGateway === true
          ? { gateway: { name: "edge", ...(name === "istio" ? {} : { sectionName: "web" }) } }
          : {}),
      },
      previewHeader: "X-Modelswitch-Preview",
      servicePort: 80,
    });
    for (const [index, ref] of router.refs("fraud").entries()) {
      await api().json({
        method: "PATCH",
        path: objectPath(project.namespace.name, ref),
        query: { fieldManager: "tests", force: true, dryRun: "All", fieldValidation: "Strict" },
        body: objects[index],
      });
    }
    await project.remove();
  },
);

test("a listener that does not take the route is named before anything is written", async () => {
  const project = await ModelProject.create("kit-listener");
  await makeEdgeGateway(project, await controllerOf("traefik"));
  const gateway = { name: "edge", sectionName: "other" };
  await project.configure({ router: "gateway-api", ingress: { host: project.host, gateway } });
  const { exitCode, stdout } = await project.command(["up", "--json"]);
  expect(exitCode).toBe(2);
  expect(stdout).toContain("gateway-listener-refuses");
  await project.remove();
});
