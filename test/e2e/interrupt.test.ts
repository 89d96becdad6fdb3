import { afterEach, describe, expect, test } from "vitest";
import { ModelProject } from "./model-project.ts";
import { testImages } from "./test-cluster.ts";

let project: ModelProject;

afterEach(async () => {
  await project.remove();
});

/** Runs a command with `--json` and sends the signal once an event contains the text. */
async function interruptAt(text: string, args: readonly string[], signal: NodeJS.Signals = "SIGINT") {
  let seen = "";
  return await project.command([...args, "--json"], {
    onStart: (child) => {
      child.stdout?.on("data", (more: string) => {
        const before = seen.includes(text);
        seen += more;
        if (!before && seen.includes(text)) child.kill(signal);
      });
    },
  });
}

const slowToStart = (image: string) => ({
  image,
  replicas: 1,
  imagePullPolicy: "Never",
  env: { READY_DELAY_MS: "600000" },
});

describe("Ctrl-C", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s while `up` waits for pods ends with 130, and the next `up` goes on",
    async (signal) => {
      project = await ModelProject.create("stop-up");
      await project.configure({
        slots: { blue: slowToStart(testImages.blue), green: slowToStart(testImages.green) },
      });
      const stopped = await interruptAt("replicas ready", ["up"], signal);
      expect(stopped.exitCode, stopped.stdout).toBe(130);
      expect(stopped.stdout).toContain('"code":"interrupted"');
      await project.configure();
      await project.result(["up"]);
      expect(await project.result(["status"])).toMatchObject({ live: "blue", pending: null });
    },
  );

  test("while a release deploys, and while it warms up, is no failure, and says where traffic is", async () => {
    project = await ModelProject.create("stop-release");
    const slow = { path: "/slow?ms=200", method: "GET" };
    const { image, ...release } = slowToStart(testImages.green);
    await project.configure({
      slots: undefined,
      release: { ...release, image: testImages.blue, env: {} },
      rollout: { settle: 1, soak: 1, drain: 1, warmUp: slow },
    });
    await project.result(["up"]);
    const stopAt = async (text: string, args: readonly string[]) => {
      const { exitCode, stderr } = await project.command(args, {
        onStart: (child) => {
          let seen = "";
          child.stderr?.on("data", (more: string) => {
            const before = seen.includes(text);
            seen += more;
            if (!before && seen.includes(text)) child.kill("SIGINT");
          });
        },
      });
      expect(exitCode, stderr).toBe(130);
      expect(stderr).not.toContain("FAILED");
      return stderr;
    };
    const env = Object.entries(release.env).flatMap(([name, value]) => ["--set", `env.${name}=${value}`]);
    const deploying = await stopAt("0 of 1 replicas ready", ["release", "--set", `image=${image}`, ...env]);
    expect(deploying).toMatch(/Put release 2 into green, 1 replica: interrupted in/);
    expect(deploying).toContain("Traffic is on blue, in the phase deploy.");
    await project.result(["abort"]);
    const warming = await stopAt("Warm up green", ["release", "--set", `image=${image}`]);
    expect(warming).toMatch(/Warm up green: .*: interrupted in/);
    expect(warming).toContain("Traffic is on blue, in the phase warm-up.");
    expect(await project.result(["resume"])).toMatchObject({ release: 3, ended: "live" });
  });

  test("while `destroy` deletes ends with 130, and the next `destroy` leaves nothing", async () => {
    project = await ModelProject.create("stop-destroy");
    await project.configure();
    await project.result(["up"]);
    const stopped = await interruptAt('"operation":"delete"', ["destroy", "--yes"]);
    // Where everything was deleted before the signal came, there was nothing left to stop.
    expect([0, 130]).toContain(stopped.exitCode);
    const again = await project.command(["destroy", "--yes"]);
    expect(again.exitCode, again.stdout + again.stderr).toBe(0);
    const path = `/namespaces/${project.namespace.name}`;
    for (const kind of [`/apis/apps/v1${path}/deployments`, `/apis/networking.k8s.io/v1${path}/ingresses`]) {
      const list = await project.namespace.api.json<{ items: unknown[] }>({ method: "GET", path: kind });
      expect(list.items).toEqual([]);
    }
  });
});
