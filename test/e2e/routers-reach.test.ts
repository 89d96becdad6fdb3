import type { ChildProcess } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { routerNamed } from "../../src/component/routers/factory.ts";
import { objectPath } from "../../src/core/object-kind.ts";
import type { Routing } from "../../src/core/routing.ts";
import { judged } from "./controllers.ts";
import { askOnce, type CookieClient, movesOf, newClients } from "./cookie-clients.ts";
import { makeEdgeGateway } from "./edge-gateway.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { configureReleases } from "./release-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";
import { traefikOfFile } from "./traefik-of-file.ts";

/** Who gets a new release before others: testers, clients that stay where they are, and requests that are copied. */

const testers = { header: { name: "X-Team", value: "ml" }, cookie: { name: "tester", value: "a.b" } };

const traefik = traefikOfFile();
let project: ModelProject;

afterEach(async () => {
  await project?.remove();
});

interface Status {
  readonly split: { readonly blue: number; readonly green: number };
  readonly rollout?: { readonly phase: string; readonly direction: string } | null;
}

const statusNow = async () => (await project.result(["status"])) as unknown as Status;

/** Waits until a rollout is in a phase, or has given green its share in it. */
async function untilPhase(phase: string, green?: number): Promise<void> {
  await until(
    `the phase ${phase}${green === undefined ? "" : ` with ${green} %`}`,
    async () => {
      const { rollout, split } = await statusNow();
      return rollout?.phase === phase && (green === undefined || split.green === green);
    },
    150_000,
  );
}

const askAs = (headers: Readonly<Record<string, string>> = {}) =>
  versionAt(project.host, headers, project.ingressUrl);
const byHeader = () => askAs({ "X-Team": "ml" });
const byCookie = () => askAs({ cookie: "first=1; tester=a.b; last=2" });

/** What Traefik has counted of a slot's own service: what clients are sent to, and copies. */
async function counted(slot: string): Promise<number> {
  const text = await (await fetch(traefik.metricsUrl)).text();
  const service = `${project.namespace.name}-fraud-${slot}-80@kubernetescrd`;
  return text
    .split("\n")
    .filter((line) => line.startsWith("traefik_service_requests_total{") && line.includes(`"${service}"`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

async function withTraefik(steps: string, settings: Readonly<Record<string, unknown>>): Promise<void> {
  project = await ModelProject.create("reach-traefik");
  project.ingressUrl = traefik.url;
  const ingress = { host: project.host, endpoints: [traefik.url] };
  await configureReleases(project, {
    streamSeconds: 1,
    steps,
    rollbackWindow: 600,
    settings: { router: "traefik", ingress, ...settings },
  });
}

describe("the router traefik", () => {
  // The conformance kit shows both; here they meet.
  test.runIf(isSoak)(
    "shows a release to testers and copies requests to it before anybody else gets it, and takes all that back",
    {
      timeout: 500_000,
    },
    async () => {
      await withTraefik("50%:15s", { routing: { testers } });
      await project.edit((text) =>
        text.replace('"settle": 1', '"settle": 1, "shadow": { "for": 20, "percent": 50 }'),
      );
      await project.result(["up"]);
      // Nothing goes live: testers get what everybody gets, and the idle slot has no pod.
      expect([await byHeader(), await byCookie(), await askAs()]).toEqual(["1", "1", "1"]);

      const stop = new AbortController();
      const load = project.startLoad(40, stop.signal);
      try {
        await project.edit((text) => text.replace(testImages.blue, testImages.green));
        const releasing = project.command(["release", "--json"]);
        await untilPhase("shadow");
        await until("testers have the release", async () => (await byHeader()) === "2");
        expect([
          await byCookie(),
          await askAs({ "X-Team": "other" }),
          await askAs({ cookie: "tester=a-b" }),
        ]).toEqual(["2", "1", "1"]);
        expect(await askAs({ "X-Team": "ml", "X-Modelswitch-Preview": "blue" })).toBe("1");
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        const before = [await counted("blue"), await counted("green")];
        await new Promise((resolve) => setTimeout(resolve, 6_000));
        const after = [await counted("blue"), await counted("green")];
        const [live = 0, copies = 0] = after.map((count, index) => count - (before[index] ?? 0));
        // Of some 240 requests half are copied; each of them is answered by blue alone.
        expect(live).toBeGreaterThan(100);
        expect(copies / live).toBeGreaterThan(0.4);
        expect(copies / live).toBeLessThan(0.6);
        const everybody = newClients(50);
        await askOnce(everybody, { url: traefik.url, host: project.host });
        expect(new Set(everybody.flatMap(({ answers }) => answers))).toEqual(new Set(["1"]));

        await untilPhase("shift", 50);
        expect([await byHeader(), await byCookie()]).toEqual(["2", "2"]);
        // Its word: back. Testers are with everybody again.
        await project.result(["abort"]);
        await releasing;
        expect((await statusNow()).split).toEqual({ blue: 100, green: 0 });
        expect([await byHeader(), await byCookie(), await askAs()]).toEqual(["1", "1", "1"]);
        const report = await load.stop();
        expect(report.failed, failuresOf(report)).toBe(0);
      } finally {
        stop.abort();
      }
    },
  );

  test("keeps 300 clients where they are through 5, 25, 50 and 100 %, with testers beside, killed in between", {
    timeout: 540_000,
  }, async () => {
    await withTraefik("5%:20s, 25%:20s, 50%:20s", { routing: { testers, sticky: "pin" } });
    await project.result(["up"]);
    const place = { url: traefik.url, host: project.host };
    const clients: CookieClient[] = newClients(300);
    await askOnce(clients, place);
    await project.edit((text) => text.replace(testImages.blue, testImages.green));
    let running: ChildProcess | undefined;
    const onStart = (child: ChildProcess) => {
      running = child;
    };
    const first = project.command(["release", "--json"], { onStart }).catch(() => undefined);
    let resumed: Promise<unknown> = Promise.resolve();
    const fresh: { share: number; seen: number }[] = [];
    const all = [...clients];
    for (const share of [5, 25, 50]) {
      await untilPhase("shift", share);
      const news = newClients(300);
      await askOnce([...all, ...news], place);
      await askOnce([...all, ...news], place);
      fresh.push({ share, seen: news.filter(({ answers }) => answers[0] === "2").length });
      all.push(...news);
      if (share !== 25) continue;
      running?.kill("SIGKILL");
      await first;
      await askOnce(all, place);
      resumed = project.result(["resume"]);
    }
    expect(await resumed).toMatchObject({ ended: "live", target: "green" });
    await until("it is live", async () => (await statusNow()).split.green === 100, 120_000);
    await askOnce(all, place);
    await askOnce(all, place);
    for (const client of all) {
      expect(movesOf(client), client.answers.join(" ")).toBeLessThanOrEqual(1);
      expect(client.answers.at(-1)).toBe("2");
    }
    // Five standard deviations of 300 new clients; Traefik deals in turn, which is nearer.
    for (const { share, seen } of fresh) {
      const part = share / 100;
      expect(Math.abs(seen - 300 * part)).toBeLessThanOrEqual(5 * Math.sqrt(300 * part * (1 - part)));
    }
    const names = new Set(all.flatMap(({ cookies }) => [...cookies.keys()]));
    expect([...names]).toEqual(["modelswitch-fraud-2"]);
    // Once it is live nobody is kept any more.
    const [late] = newClients(1);
    await askOnce(late === undefined ? [] : [late], place);
    expect(late?.cookies.size).toBe(0);
  });
});

test.runIf(isSoak)(
  "the router nginx, served by Traefik, has testers by the preview header and by cookie, and keeps clients",
  {
    timeout: 500_000,
  },
  async () => {
    project = await ModelProject.create("reach-nginx");
    await configureReleases(project, {
      streamSeconds: 1,
      steps: "25%:20s",
      rollbackWindow: 600,
      settings: {
        previewHeader: "X-Team",
        routing: {
          testers: { header: { name: "X-Team", value: "ml" }, cookie: { name: "tester" } },
          sticky: "pin",
        },
      },
    });
    await project.result(["up"]);
    const cookie = { cookie: "tester=always" };
    const place = { url: project.ingressUrl, host: project.host };
    expect([await byHeader(), await askAs(cookie)]).toEqual(["1", "1"]);
    const clients = newClients(100);
    await askOnce(clients, place);
    await project.edit((text) => text.replace(testImages.blue, testImages.green));
    const stop = new AbortController();
    const load = project.startLoad(30, stop.signal);
    try {
      const releasing = project.result(["release"]);
      await untilPhase("shift", 25);
      expect([await byHeader(), await askAs(cookie), await askAs({ "X-Team": "always" })]).toEqual([
        "2",
        "2",
        "2",
      ]);
      for (let round = 0; round < 3; round++) await askOnce(clients, place);
      expect(await releasing).toMatchObject({ ended: "live", target: "green" });
      await askOnce(clients, place);
      for (const client of clients) expect(movesOf(client), client.answers.join(" ")).toBeLessThanOrEqual(1);
      expect(new Set(clients.map(({ answers }) => answers.at(-1)))).toEqual(new Set(["2"]));
      // The old release is idle, and testers are with everybody.
      expect([await byHeader(), await askAs(cookie), await askAs({ "X-Team": "always" })]).toEqual([
        "2",
        "2",
        "1",
      ]);
      const report = await load.stop();
      expect(report.failed, failuresOf(report)).toBe(0);
    } finally {
      stop.abort();
    }
  },
);

test.runIf(isSoak)(
  "the router gateway-api, served by Traefik, has testers by header and by cookie, and is refused copies that its class has not",
  {
    timeout: 300_000,
  },
  async () => {
    project = await ModelProject.create("reach-gateway");
    project.ingressUrl = traefik.url;
    await makeEdgeGateway(project, traefik);
    await configureReleases(project, {
      streamSeconds: 1,
      steps: "25%:15s",
      rollbackWindow: 600,
      settings: {
        router: "gateway-api",
        ingress: { host: project.host, gateway: { name: "edge" } },
        routing: { testers },
      },
    });
    await project.result(["up"]);
    expect([await byHeader(), await byCookie()]).toEqual(["1", "1"]);
    await project.edit((text) => text.replace(testImages.blue, testImages.green));
    const releasing = project.result(["release"]);
    await untilPhase("shift", 25);
    expect([await byHeader(), await byCookie()]).toEqual(["2", "2"]);
    expect(await askAs({ "X-Team": "ml", "X-Modelswitch-Preview": "blue" })).toBe("1");
    expect(await releasing).toMatchObject({ ended: "live", target: "green" });
    await project.result(["rollback"]);
    expect([await byHeader(), await byCookie(), await askAs()]).toEqual(["1", "1", "1"]);

    await project.edit((text) => text.replace('"settle": 1', '"settle": 1, "shadow": 10'));
    for (const command of ["plan", "release"]) {
      const { exitCode, stdout, stderr } = await project.command([command]);
      expect(exitCode, stdout + stderr).toBe(2);
      expect(stdout + stderr).toContain("HTTPRouteRequestMirror");
    }
  },
);

test.each(judged)(
  "the objects of the router %s for testers, copies and kept clients are what its kinds take",
  async (name) => {
    project = await ModelProject.create(`reach-${name}`);
    const router = routerNamed(name);
    const can = router.capabilities;
    const routings: Routing[] = [
      ...(can.testers ? [{ main: "blue", candidate: "green", weight: 25, testers: "green" } as const] : []),
      ...(can.mirror ? [{ main: "blue", candidate: "green", weight: 0, mirror: 20 } as const] : []),
      ...(can.sticky === false ? [] : [{ main: "blue", candidate: "green", weight: 25, pinned: 7 } as const]),
    ];
    for (const routing of routings) {
      const objects = router.objects({
        model: "fraud",
        namespace: project.namespace.name,
        routing,
        testers,
        ingress: {
          host: project.host,
          className: "edge",
          ...(router.needsGateway === true ? { gateway: { name: "edge" } } : {}),
        },
        previewHeader: "X-Modelswitch-Preview",
        servicePort: 80,
      });
      for (const [index, ref] of router.refs("fraud").entries()) {
        await project.namespace.api.json({
          method: "PATCH",
          path: objectPath(project.namespace.name, ref),
          query: { fieldManager: "tests", force: true, dryRun: "All", fieldValidation: "Strict" },
          body: objects[index],
        });
      }
    }
  },
);

test("what a router cannot do is refused by name before anything is written", async () => {
  project = await ModelProject.create("reach-refused");
  const cases = [
    [{ router: "plain", routing: { testers } }, "testers"],
    [{ router: "plain", rollout: { steps: "25%" } }, "weights"],
    [{ router: "nginx", rollout: { shadow: 10 } }, "traefik, gateway-api, contour"],
    [{ router: "contour", routing: { sticky: "pin" } }, "nginx, traefik"],
    [{ router: "nginx", routing: { testers: { header: testers.header } } }, "previewHeader"],
  ] as const;
  for (const [settings, words] of cases) {
    await project.configure({ ...settings });
    for (const command of [["plan"], ["up"]]) {
      const { exitCode, stdout, stderr } = await project.command(command);
      expect(exitCode, stdout + stderr).toBe(2);
      expect(stdout + stderr).toContain(words);
    }
  }
});
