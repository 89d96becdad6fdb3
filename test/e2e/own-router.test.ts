import { afterEach, expect, test } from "vitest";
import { failuresOf, ModelProject } from "./model-project.ts";
import { configureReleases } from "./release-project.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";
import { traefikOfFile } from "./traefik-of-file.ts";
import { elsewhere } from "./ways-back.ts";

/** A router that a configuration brings along, in front of a controller that runs: an IngressRoute that weighs two Services. */

const previewHeader = "X-Modelswitch-Preview";
const ratePerSecond = 30;

const router = `defineRouter({
  name: "edge",
  preview: true,
  route: {
    group: "traefik.io",
    version: "v1alpha1",
    kind: "IngressRoute",
    plural: "ingressroutes",
    spec: ({ places, services, servicePort: port, shares, previewHeader }) => ({
      routes: places.flatMap(({ host }) => {
        const match = \`Host(\\\`\${host}\\\`)\`;
        const slots = ["blue", "green"] as const;
        return [
          {
            kind: "Rule",
            match,
            services: slots
              .filter((slot) => shares[slot] > 0)
              .map((slot) => ({ kind: "Service", name: services[slot], port, weight: shares[slot] })),
          },
          ...slots.map((slot) => ({
            kind: "Rule",
            match: \`\${match} && Header(\\\`\${previewHeader}\\\`, \\\`\${slot}\\\`)\`,
            services: [{ kind: "Service", name: services[slot], port }],
          })),
        ];
      }),
    }),
    weights: (spec) => ((spec as any).routes ?? []).filter(({ match = "" }) => !match.includes("Header(")).flatMap(({ services = [] }) => services),
    claims: (spec) => ((spec as any).routes ?? []).flatMap(({ match = "" }) => {
      const host = /^Host\\(.([^\`]+)/.exec(match)?.[1];
      return host === undefined ? [] : [{ host, path: "/" }];
    }),
  },
})`;

const traefik = traefikOfFile();
let project: ModelProject;

afterEach(async () => {
  await project?.remove();
});

const at = (slot?: string) =>
  versionAt(project.host, slot === undefined ? {} : { [previewHeader]: slot }, traefik.url);

test("a router of the user's own takes a release live in steps and back, and no request fails", {
  timeout: 400_000,
}, async () => {
  project = await ModelProject.create("own-router");
  project.ingressUrl = traefik.url;
  await configureReleases(project, {
    streamSeconds: 1,
    steps: "25%:8s",
    rollbackWindow: 600,
    settings: { router: "own:edge", ingress: { host: project.host, endpoints: [traefik.url] } },
  });
  await project.edit((text) =>
    text
      .replace("import { custom, defineConfig }", "import { custom, defineConfig, defineRouter }")
      .replace('"router": "own:edge"', `"router": ${router}`),
  );
  const tried = await project.command(["router", "test", "--on-cluster"]);
  expect(tried, tried.stdout + tried.stderr).toMatchObject({ exitCode: 0 });
  expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
  const stop = new AbortController();
  const load = project.startLoad(ratePerSecond, stop.signal);
  try {
    await project.edit((text) => text.replace(testImages.blue, testImages.green));
    const releasing = project.result(["release"]);
    await until(
      "green has a quarter",
      async () => JSON.stringify((await project.result(["status"])).split) === '{"blue":75,"green":25}',
      120_000,
    );
    expect([await at("blue"), await at("green")]).toEqual(["1", "2"]);
    expect(await releasing).toMatchObject({ ended: "live", target: "green" });
    expect(await at()).toBe("2");
    await project.result(["rollback"]);
    expect(await at()).toBe("1");
    const report = await load.stop();
    expect(report.failed, failuresOf(report)).toBe(0);
  } finally {
    stop.abort();
  }
  expect(await project.result(["plan"])).toMatchObject({ changes: [] });

  // Where the file is not read, what stands beside the record is enough to look.
  const seen = await elsewhere(project, ["status"]);
  expect(seen.exitCode, seen.stdout).toBe(0);
  expect(seen.stdout).not.toContain("router-not-loaded");
  expect(await at()).toBe("1");
});
