import { expect, test } from "vitest";
import { HopelessWaits } from "./hopeless-waits.ts";

const deployment = (name: string, kind = "Deployment") => ({
  urn: `urn:pulumi:dev::p::kubernetes:apps/v1:${kind}::${name}`,
  kind,
  name,
  namespace: "ns",
  uid: undefined,
  secretPaths: [],
});

function waits() {
  const looks = new Map<string, { signal: AbortSignal; found: (lines: readonly string[]) => void }>();
  let ended = 0;
  const made = new HopelessWaits(
    ({ name }, signal) => new Promise((found) => looks.set(name, { signal, found })),
    () => {
      ended++;
    },
  );
  return { made, looks, ended: () => ended };
}

test("a Deployment that can't become ready ends the run, and says why", async () => {
  const { made, looks, ended } = waits();
  made.begin(deployment("one"));
  made.begin(deployment("one"));
  made.begin(deployment("job", "Job"));
  expect([...looks.keys()]).toEqual(["one"]);
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

test("what has become ready, or is closed, is looked at no longer and ends nothing", async () => {
  const { made, looks, ended } = waits();
  made.begin(deployment("one"));
  made.begin(deployment("two"));
  made.end(deployment("one").urn);
  expect(looks.get("one")?.signal.aborted).toBe(true);
  expect(looks.get("two")?.signal.aborted).toBe(false);
  made.close();
  looks.get("one")?.found(["late"]);
  looks.get("two")?.found(["late"]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ended()).toBe(0);
  expect(made.error("The update")).toBeUndefined();
});
