import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { expect } from "vitest";
import { otherSlot, type Slot, slots } from "../../../src/core/slots.ts";
import { podsOf } from "../bad-releases.ts";
import { ModelProject } from "../model-project.ts";
import { configureReleases } from "../release-project.ts";
import { faultPoints } from "../rollout-driver.ts";
import { withinBinomial } from "./binomial.ts";
import { copiedPercent, type Stage } from "./stage.ts";

const requests = 400;

/**
 * The release goes on to its copies, and is killed there. Every request is then counted by the model servers themselves, whatever the controller
 * counts: live's have each of them once, the idle slot's the stated part of them, and clients see nothing of that.
 */
export async function copiesAlone(stage: Stage): Promise<void> {
  const idle = otherSlot(stage.live);
  const killed = await stage.project.command(["reconcile", "--json"], {
    env: faultPoints(new Set(["done:prove-mirror"])),
  });
  expect(killed.exitCode, `${killed.stdout}\n${killed.stderr}`).toBeNull();
  expect(await stage.split()).toEqual({ [stage.live]: 100, [idle]: 0 });

  const before = await received(stage);
  const answers: string[] = [];
  const asking = async () => {
    for (let index = 0; index < requests / 10; index += 1) answers.push(await infer(stage));
  };
  await Promise.all(Array.from({ length: 10 }, asking));
  expect(new Set(answers)).toEqual(new Set([stage.versionOf(stage.live)]));
  const after = await atRest(stage);
  expect(after[stage.live] - before[stage.live]).toBe(requests);
  const copies = after[idle] - before[idle];
  expect(withinBinomial(copies, requests, copiedPercent / 100), `${copies} of ${requests}`).toBe(true);
}

/** What the controller of the front cannot copy is refused before anything is written. A model of its own: this one has a release under way. */
export async function copiesRefused({ front, controller }: Stage, lacking: string): Promise<void> {
  const project = await ModelProject.create(`copies-${front.router}`);
  try {
    await front.prepare(project, controller);
    await configureReleases(project, {
      streamSeconds: 1,
      shadow: { for: 5, percent: copiedPercent },
      settings: { router: front.router, ingress: front.ingress(project, controller) },
    });
    for (const command of ["plan", "up"]) {
      const { exitCode, stdout, stderr } = await project.command([command, "--json"]);
      expect(exitCode, stdout + stderr).toBe(2);
      expect(stdout + stderr).toContain(lacking);
    }
  } finally {
    await project.remove();
  }
}

async function infer({ project, controller }: Stage): Promise<string> {
  const response = await request(`${controller.url}/v2/models/demo/infer`, {
    method: "POST",
    headers: { host: project.host, "content-type": "application/json" },
    body: JSON.stringify({ inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] }),
    headersTimeout: 10_000,
  });
  await response.body.dump();
  const version = response.headers["x-model-version"];
  return typeof version === "string" ? version : `status ${response.statusCode}`;
}

/** The inference requests that the pods of each slot have had, by their own counters. */
async function received({ project }: Stage): Promise<Record<Slot, number>> {
  const { api, name } = project.namespace;
  const counts: Record<Slot, number> = { blue: 0, green: 0 };
  for (const slot of slots)
    for (const pod of await podsOf(project, slot)) {
      const path = `/api/v1/namespaces/${name}/pods/${pod}:8080/proxy/metrics`;
      const { body } = await api.request({ method: "GET", path });
      const count = /^test_server_requests_total\{.*\} (\d+)$/m.exec(body)?.[1];
      expect(count, body).toBeDefined();
      counts[slot] += Number(count);
    }
  return counts;
}

/** Copies are sent beside the answers: what two looks one second apart agree on is all. */
async function atRest(stage: Stage): Promise<Record<Slot, number>> {
  for (let before = await received(stage); ; ) {
    await sleep(1_000);
    const now = await received(stage);
    if (now.blue === before.blue && now.green === before.green) return now;
    before = now;
  }
}
