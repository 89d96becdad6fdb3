import { afterEach, describe, expect, test } from "vitest";
import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import { ModelProject } from "./model-project.ts";
import { configureReleases } from "./release-project.ts";
import { inTime } from "./soak.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";
import { traefikOfFile } from "./traefik-of-file.ts";

/** Somebody leads clients to something else than the model: whoever wants them back gets them back. */

const traefik = traefikOfFile();
let project: ModelProject;

afterEach(async () => {
  await project?.remove();
});

type Path = (name: string) => string;
const ingresses: Path = (name) =>
  `/apis/networking.k8s.io/v1/namespaces/${project.namespace.name}/ingresses/${name}`;
const traefikServices: Path = (name) =>
  `/apis/traefik.io/v1alpha1/namespaces/${project.namespace.name}/traefikservices/${name}`;
const ingressRoutes: Path = (name) =>
  `/apis/traefik.io/v1alpha1/namespaces/${project.namespace.name}/ingressroutes/${name}`;

async function patch(path: string, type: "json" | "merge", body: unknown): Promise<void> {
  await project.namespace.api.json({
    method: "PATCH",
    path,
    contentType: `application/${type}-patch+json`,
    query: { fieldManager: "kubectl-edit" },
    body,
  });
}
const remove = async (path: string) => {
  await project.namespace.api.request({ method: "DELETE", path });
};

const backend = "/spec/rules/0/http/paths/0/backend/service/name";
const toThePage = (path: string) =>
  patch(path, "json", [{ op: "replace", path: backend, value: "maintenance" }]);

/** What somebody did in an incident, by router. */
const astray: Readonly<Record<"nginx" | "traefik", Readonly<Record<string, () => Promise<void>>>>> = {
  nginx: {
    "the main Ingress leads to another Service": () => toThePage(ingresses("fraud")),
    "both Ingresses are gone": async () => {
      await remove(ingresses("fraud"));
      await remove(ingresses("fraud-canary"));
    },
  },
  traefik: {
    "a third Service shares the traffic": async () => {
      const { spec } = await project.namespace.api.json<KubernetesObject & { spec: Weighted }>({
        method: "GET",
        path: traefikServices("fraud"),
      });
      const services = [...spec.weighted.services, { name: "maintenance", port: 80, weight: 100 }];
      await patch(traefikServices("fraud"), "merge", { spec: { weighted: { services } } });
    },
    "the IngressRoute is gone": () => remove(ingressRoutes("fraud")),
  },
};
interface Weighted {
  readonly weighted: { readonly services: readonly object[] };
}

/** A page of somebody else's, which says so with a version of its own. */
async function makePage(): Promise<void> {
  await project.namespace.deploy("maintenance", testImages.blue, { app: "maintenance" });
  await project.namespace.api.json({
    method: "POST",
    path: `/api/v1/namespaces/${project.namespace.name}/services`,
    body: {
      metadata: { name: "maintenance" },
      spec: { selector: { app: "maintenance" }, ports: [{ port: 80, targetPort: 8080 }] },
    },
  });
}

describe.each(inTime(1, ["nginx", "traefik"] as const))("behind the router %s", (router) => {
  const url = () => (router === "traefik" ? traefik.url : project.ingressUrl);
  const versionNow = () => versionAt(project.host, {}, url());

  test(`${Object.keys(astray[router]).join("; ")}: \`switch\` and \`rollback\` bring clients back`, {
    timeout: 300_000,
  }, async () => {
    project = await ModelProject.create("astray");
    await makePage();
    const ingress = { host: project.host, ...(router === "traefik" ? { endpoints: [traefik.url] } : {}) };
    await configureReleases(project, {
      ...{ streamSeconds: 1, steps: "50%", rollbackWindow: 600 },
      settings: { router, ingress },
    });
    await project.result(["up"]);
    await project.result(["release", "--set", `image=${testImages.green}`]);
    const [edited, gone] = Object.values(astray[router]);

    await edited?.();
    const seen = await project.result(["status"]);
    expect(seen).toMatchObject({ live: null, split: { blue: 0, green: 0 } });
    expect(seen.pending).toContain("leads to something else than fraud");
    const refused = await project.command(["release", "--json", "--set", "env.A=1"]);
    expect(refused.exitCode, refused.stdout).toBe(2);
    expect(refused.stdout).toContain('"routing-unreadable"');
    // To where they were, and to where they were before.
    await project.result(["switch", "green"]);
    await until("clients get green", async () => (await versionNow()) === "2");
    await edited?.();
    await project.result(["rollback"]);
    await until("clients get blue", async () => (await versionNow()) === "1");

    await gone?.();
    await until("nobody is answered by a model", async () => (await versionNow().catch(() => "")) !== "1");
    await project.result(["switch", "blue"]);
    await until("clients get blue", async () => (await versionNow()) === "1");
    expect(await project.result(["status"])).toMatchObject({ live: "blue", pending: null });
    expect(await project.result(["plan"])).toMatchObject({ changes: [] });
    await project.result(["destroy", "--yes"]);
  });
});
