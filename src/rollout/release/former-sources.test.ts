import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { refusal, type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import type { ReleaseTemplate } from "../../config/model/types.ts";
import { release, resume } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { up } from "../commands/up.ts";

let bench: TestBench;

const template = (image: string, more: Partial<ReleaseTemplate> = {}): ReleaseTemplate => ({
  image,
  replicas: 2,
  env: { TOKEN: { secret: "token", key: "value" }, LIMIT: { configMap: "limits", key: "n", optional: true } },
  secrets: [{ secret: "tls", mountPath: "/etc/tls" }],
  configFiles: { "/etc/settings": "a" },
  ...more,
});

const context = (more: Partial<ReleaseTemplate> = {}) =>
  bench.context(
    templateConfig({ drain: 0, soak: 0, settle: 0, rollbackWindow: 600 }, template("fraud:1", more)),
  );

const path = (name: string) => `/api/v1/namespaces/${testNamespace}/${name.replace("/", "s/")}`;
/** Somebody writes a Secret or ConfigMap: it gets another version, which is returned. */
function write(name: string): string {
  bench.cluster.put(path(name), {});
  return bench.cluster.get(path(name))?.metadata?.resourceVersion ?? "";
}

const warnings = () =>
  bench.events.flatMap((event) =>
    event.type === "warning" ? [{ code: event.code, text: event.message }] : [],
  );

/** Release 2 is live in green, and blue has been scaled down. */
async function coldRelease1(more: Partial<ReleaseTemplate> = {}): Promise<void> {
  await up(context(more), noFlags);
  await release(context(more), { template: template("fraud:2", more) });
  bench.clock.pass(600_000);
  await resume(context(more), "reconcile");
  bench.events.length = 0;
}

let token: string;

beforeEach(() => {
  bench = testBench();
  token = write("secret/token");
  write("secret/tls");
  write("configmap/limits");
});

describe("a rollback to a slot whose pods have ended", () => {
  test("is exact where nothing has changed: no word about it", async () => {
    await coldRelease1();
    expect(await rollback(context())).toMatchObject({
      state: { release: 1, outcome: "released" },
    });
    expect(warnings()).toEqual([]);
  });

  test("is refused where a Secret has, before anything is written", async () => {
    await coldRelease1();
    const now = write("secret/token");
    const before = bench.cluster.requests.length;
    await expect(rollback(context())).rejects.toMatchObject({
      code: "versions-changed",
      exitCode: 1,
      message: expect.stringContaining(`the Secret token: version ${token} then, ${now} now`),
      hint: expect.stringContaining("--accept-changed secret/token"),
      details: { release: 1, changed: [{ name: "secret/token", former: token, present: now }] },
    });
    const methods = bench.cluster.requests.slice(before).filter(({ path }) => !path.includes("selfsubject"));
    expect(new Set(methods.map(({ method }) => method))).toEqual(new Set(["GET"]));
  });

  test("is another release where the change is accepted, and the record says what was accepted", async () => {
    await coldRelease1();
    const now = write("secret/token");
    await expect(rollback(context(), { acceptChanged: ["secret/tls"] })).rejects.toMatchObject({
      code: "versions-changed",
    });
    await expect(rollback(context(), { acceptChanged: ["secret/other"] })).rejects.toMatchObject({
      code: "accept-unknown",
      exitCode: 2,
    });
    expect(await rollback(context(), { acceptChanged: ["secret/token"] })).toMatchObject({
      state: { release: 3, target: "blue", outcome: "released" },
    });
    const record = await context().store.read();
    expect(record?.releases.at(-1)).toMatchObject({
      number: 3,
      spec: { image: "fraud:1", versions: { "secret/token": now }, configFiles: { "/etc/settings": "a" } },
    });
    expect(record?.rollouts?.at(-1)).toMatchObject({
      report: {
        skipped: [
          `secret/token as it was (--accept-changed): version ${now} instead of ${token}, by ada@laptop`,
        ],
      },
    });
  });

  test("is refused where one is gone without which no pod starts", async () => {
    await coldRelease1();
    bench.cluster.remove(path("secret/token"));
    await expect(rollback(context())).rejects.toMatchObject({ code: "secret-missing" });
  });

  test("warns once where nobody may look", async () => {
    await coldRelease1();
    const others = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path.includes("/secrets/") ? refusal(403, "Forbidden") : others?.(request);
    expect(await rollback(context())).toMatchObject({ state: { outcome: "released" } });
    expect(warnings()).toEqual([
      {
        code: "versions-unknown",
        text: expect.stringContaining("whether the Secret tls, the Secret token still are"),
      },
    ]);
  });

  test("goes by the versions of the configuration file where it gives them", async () => {
    const versions = { "secret/token": "v1" };
    await coldRelease1({ versions });
    write("secret/token");
    expect(await rollback(context({ versions }))).toMatchObject({ state: { release: 1 } });
    bench.clock.pass(600_000);
    await expect(rollback(context({ versions: { "secret/token": "v2" } }), { to: 2 })).rejects.toMatchObject({
      code: "versions-changed",
      message: expect.stringContaining("the Secret token: version v1 then, v2 now"),
    });
  });

  test("to an older release by its number goes by what that one had", async () => {
    await coldRelease1();
    const now = write("secret/token");
    await release(context(), { template: template("fraud:3") });
    await expect(rollback(context(), { to: 1 })).rejects.toMatchObject({
      code: "versions-changed",
      message: expect.stringContaining(`version ${token} then, ${now} now`),
    });
  });
});

describe("a rollback to a warm slot", () => {
  test("is never refused, and says what follows the change", async () => {
    await up(context(), noFlags);
    await release(context(), { template: template("fraud:2") });
    write("secret/token");
    write("secret/tls");
    bench.events.length = 0;
    expect(await rollback(context())).toMatchObject({
      state: { release: 1, outcome: "released" },
    });
    const [warning, ...more] = warnings();
    expect(more).toEqual([]);
    expect(warning).toMatchObject({ code: "versions-changed" });
    expect(warning?.text).toContain("Variables in the pods of blue keep the former contents");
    expect(warning?.text).toContain("mounted files follow the present ones (secret/tls)");
  });

  test("does not wait for what cannot be read", async () => {
    await up(context(), noFlags);
    await release(context(), { template: template("fraud:2") });
    const others = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path.includes("/secrets/") ? refusal(500, "InternalError") : others?.(request);
    bench.events.length = 0;
    expect(await rollback(context())).toMatchObject({ state: { outcome: "released" } });
    expect(warnings()).toEqual([]);
  });
});
