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
