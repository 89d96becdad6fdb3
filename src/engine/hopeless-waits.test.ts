import { expect, test } from "vitest";
import type { Event } from "../core/events.ts";
import { HopelessWaits } from "./hopeless-waits.ts";

const object = (name: string, kind = "Deployment") => ({
  urn: `urn:pulumi:dev::p::kubernetes:apps/v1:${kind}::${name}`,
  kind,
  name,
  namespace: "ns",
  uid: undefined,
  secretPaths: [],
});

function waits(lacks: readonly string[] = []) {
  const looks = new Map<string, { signal: AbortSignal; found: (lines: readonly string[]) => void }>();
  const events: Event[] = [];
  let ended = 0;
  const made = new HopelessWaits(
    {
      untilHopeless: ({ name, kind }, signal) =>
        kind === "Foreign"
          ? Promise.resolve(undefined)
          : new Promise((found) => looks.set(name, { signal, found })),
      lacks: () => Promise.resolve(lacks),
    },
    {
      events: (event) => events.push(event),
      giveUp: () => {
        ended++;
      },
    },
  );
  return { made, looks, events, ended: () => ended };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test("what can't become ready ends the run, and says why", async () => {
  const { made, looks, ended } = waits();
  made.begin(object("one"));
  made.begin(object("one"));
  made.begin(object("other", "Foreign"));
  expect([...looks.keys()]).toEqual(["one"]);
  await settled();
  expect(made.error("The update")).toBeUndefined();
  looks.get("one")?.found(["0 of 1 replicas ready", "pod one-1: no such image"]);
  await expect.poll(ended).toBe(1);
  expect(made.error("The update of stack dev")).toMatchObject({
    code: "deployment-failed",
    message:
      "The update of stack dev was stopped: Deployment one can't become ready: 0 of 1 replicas ready\n  pod one-1: no such image",
    details: { resources: [{ kind: "Deployment", name: "one", unready: true }] },
  });
});

test("what lacks something that may yet come is said once, and ends nothing", async () => {
  const { made, events, ended } = waits(["it has no address yet"]);
  made.begin(object("web", "Ingress"));
  made.begin(object("web", "Ingress"));
  await settled();
  expect(events).toMatchObject([
    {
      type: "warning",
      code: "still-waiting",
      message: "Ingress web is waited for: it has no address yet",
    },
  ]);
  expect(ended()).toBe(0);
});

test("what has become ready, or is closed, is looked at no longer and ends nothing", async () => {
  const { made, looks, ended } = waits();
  made.begin(object("one"));
  made.begin(object("two"));
  made.end(object("one").urn);
  expect(looks.get("one")?.signal.aborted).toBe(true);
  expect(looks.get("two")?.signal.aborted).toBe(false);
  made.close();
  looks.get("one")?.found(["late"]);
  looks.get("two")?.found(["late"]);
  await settled();
  expect(ended()).toBe(0);
  expect(made.error("The update")).toBeUndefined();
});
