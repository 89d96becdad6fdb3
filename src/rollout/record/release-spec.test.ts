import { describe, expect, test } from "vitest";
import {
  FakeCluster,
  refusal,
  testConfig,
  testNamespace,
  testServer,
} from "../../../test/support/rollout-bench.ts";
import { settledOn } from "../../core/routing.ts";
import type { Observation, SlotObservation } from "../observe/observation.ts";
import { handovers } from "../plan/handover.ts";
import { withImagesRun } from "../plan/images-run.ts";
import { sizedForTraffic } from "../plan/sizing.ts";
import { parseRecord } from "./parse-record.ts";
import type { ReleaseRecord, RolloutRecord, SlotScaling } from "./record.ts";
import { storedRecord } from "./record-files.ts";
import { recordVersion } from "./record-upgrades.ts";
import {
  isOnlyVersions,
  releaseDifferences,
  releaseSpecOf,
  replicasAfter,
  requiredSourcesOf,
  sourcesOf,
} from "./release-spec.ts";
import { observeVersions } from "./source-versions.ts";

const release = (number: number, changes: Partial<ReleaseRecord> = {}): ReleaseRecord => ({
  number,
  slot: number % 2 === 1 ? "blue" : "green",
  spec: { image: `fraud:${number}` },
  createdAt: "2026-11-24T08:00:00Z",
  by: "ada@laptop",
  ...changes,
});

function record(changes: Partial<RolloutRecord> = {}): RolloutRecord {
  return {
    schemaVersion: recordVersion,
    environment: null,
    model: "fraud",
    releases: [release(1), release(2)],
    slots: { blue: 1, green: 2 },
    settings: {
      server: testServer(),
      ingress: testConfig().ingress,
      router: "nginx",
      previewHeader: "X",
      identity: undefined,
      replicas: { blue: 2, green: 2 },
      selectors: {},
    },
    applying: false,
    history: [],
    ...changes,
  };
}

const withScaling = (
  scaling: Partial<Record<"blue" | "green", SlotScaling>>,
  replicas: { blue: number; green: number },
) => record({ settings: { ...record().settings, replicas, scaling } });

function observed(desired: { blue: number; green: number }, imageIds: readonly string[] = []): Observation {
  const slot = (name: "blue" | "green"): SlotObservation => ({
    slot: name,
    service: undefined,
    deployment: {
      name: `fraud-${name}`,
      image: `registry.acme.io/ml/fraud:${name === "blue" ? 1 : 2}`,
      release: 1,
      generation: 1,
      observedGeneration: 1,
      desiredReplicas: desired[name],
      replicas: desired[name],
      updatedReplicas: desired[name],
      readyReplicas: desired[name],
      replicaFailure: undefined,
    },
    endpoints: { ready: [], notReady: 0, terminating: 0 },
    pods: imageIds.map((imageId, index) => ({
      name: `p${index}`,
      phase: "Running",
      ready: true,
      terminating: false,
      former: false,
      imageId,
      restarts: 0,
      lastEnd: undefined,
      problem: undefined,
    })),
  });
  return {
    namespaceExists: true,
    routing: undefined,
    ingress: undefined,
    slots: { blue: slot("blue"), green: slot("green") },
  };
}

describe("what belongs to a release", () => {
  const slot = {
    image: "fraud:1",
    replicas: 3,
    selector: { app: "x" },
    autoscaling: { min: 1, max: 2 },
    env: { A: "1", T: { secret: "token", key: "k" }, O: { secret: "maybe", key: "k", optional: true } },
    secrets: [{ secret: "tls", mountPath: "/etc/tls" }],
    model: { uri: "s3://b/m", fetcher: { env: { K: { configMap: "s3", key: "k" } } } },
  } as const;

  test("everything that the pods run, and the versions of what it refers to", () => {
    expect(sourcesOf(slot)).toEqual(["configmap/s3", "secret/maybe", "secret/tls", "secret/token"]);
    expect(requiredSourcesOf(slot)).toEqual(["configmap/s3", "secret/tls", "secret/token"]);
    const spec = releaseSpecOf(slot, { "secret/token": "7" }, { versions: { "secret/tls": "3" } });
    expect(spec.versions).toEqual({ "secret/token": "7", "secret/tls": "3" });
    for (const key of ["selector", "autoscaling"]) expect(spec).not.toHaveProperty(key);
    expect(releaseSpecOf({ image: "a" }, {})).toEqual({ image: "a" });
  });

  test("differences tell files by size and digest, and never a value that may be secret", () => {
    const before = { image: "a", replicas: 1, configFiles: { "/x": "old" }, versions: { "secret/t": "1" } };
    const after = { image: "a", replicas: 9, configFiles: { "/x": "newer" }, versions: { "secret/t": "2" } };
    const texts = releaseDifferences(before, after).map(({ text }) => text);
    expect(texts).toHaveLength(2);
    expect(texts[0]).toMatch(/^configFiles\.\/x: 3 bytes, sha256 [0-9a-f]{10}… -> 5 bytes/);
    expect(texts[1]).toBe("secret/t: another version");
    expect(isOnlyVersions(releaseDifferences(before, after))).toBe(false);
    expect(isOnlyVersions(releaseDifferences(before, { ...before, versions: { "secret/t": "2" } }))).toBe(
      true,
    );
    expect(isOnlyVersions([])).toBe(false);
  });
});

describe("the stored record", () => {
  const big = "x".repeat(100_000);

  test("holds the contents of a file once, and gives each release its own back", () => {
    const files = { "/a": big, "/b": "two" };
    const releases = Array.from({ length: 20 }, (_, index) =>
      release(index + 1, { spec: { image: "fraud:1", configFiles: files } }),
    );
    const text = storedRecord(record({ releases, slots: { blue: 19, green: 20 } }));
    expect(text.length).toBeLessThan(120_000);
    expect(parseRecord(text, "ml/x").releases[4]?.spec.configFiles).toEqual(files);
  });

  test("leaves out the oldest releases where it would be too large, never one that a slot runs", () => {
    const releases = Array.from({ length: 20 }, (_, index) =>
      release(index + 1, { spec: { image: "fraud:1", configFiles: { "/a": `${index}${big}` } } }),
    );
    const kept = parseRecord(storedRecord(record({ releases, slots: { blue: 1, green: 20 } })), "ml/x");
    const numbers = kept.releases.map(({ number }) => number);
    expect(numbers[0]).toBe(1);
    expect(numbers.at(-1)).toBe(20);
    expect(numbers.length).toBeLessThan(12);
  });

  test("a file without contents is an error, not an empty file", () => {
    const text = storedRecord(record({ releases: [release(1, { spec: { configFiles: { "/a": "1" } } })] }));
    const without = JSON.stringify({ ...JSON.parse(text), files: {} });
    expect(() => parseRecord(without, "ml/x")).toThrow(
      "release 1 has the config file /a without its contents",
    );
  });
});

describe("the size before traffic", () => {
  const toGreen = (of: RolloutRecord, desired: { blue: number; green: number }) =>
    sizedForTraffic(of, observed(desired), settledOn("blue"), "green");

  test("is as declared where the live slot is", () => {
    const same = record();
    expect(toGreen(same, { blue: 2, green: 2 })).toEqual({ record: same, atLeast: 2 });
  });

  test("a slot that is declared smaller on purpose stays so", () => {
    const smaller = record({ settings: { ...record().settings, replicas: { blue: 4, green: 1 } } });
    expect(toGreen(smaller, { blue: 4, green: 1 }).atLeast).toBe(1);
  });

  test("follows a live slot that was scaled by hand", () => {
    const sized = toGreen(record(), { blue: 5, green: 2 });
    expect(sized.atLeast).toBe(5);
    expect(sized.record.settings.replicas).toEqual({ blue: 2, green: 5 });
  });

  test("follows an autoscaled live slot, up to the target's own most", () => {
    const autoscaling = { min: 1, max: 4 };
    const both = withScaling({ blue: { autoscaling }, green: { autoscaling } }, { blue: 1, green: 1 });
    expect(toGreen(both, { blue: 3, green: 1 }).atLeast).toBe(3);
    expect(toGreen(both, { blue: 9, green: 1 }).atLeast).toBe(4);
    expect(toGreen(both, { blue: 1, green: 1 }).record).toBe(both);
  });

  test("the slot that is live already is left alone", () => {
    expect(
      sizedForTraffic(record(), observed({ blue: 9, green: 1 }), settledOn("blue"), "blue").atLeast,
    ).toBe(2);
  });
});

describe("between a fixed number and an autoscaler", () => {
  const autoscaling = { min: 2, max: 6 };
  const scaled = withScaling({ blue: { autoscaling } }, { blue: 2, green: 2 });

  test("the number that is there is kept by somebody", () => {
    const there = observed({ blue: 4, green: 2 });
    const none = { autoscaler: false, taken: false };
    const both = (blue: typeof none) => ({ blue, green: none });
    expect(handovers(scaled, there, both(none))).toEqual([
      {
        slot: "blue",
        deployment: "fraud-blue",
        autoscaler: "fraud-blue",
        replicas: 4,
        direction: "to-autoscaler",
      },
    ]);
    const back = [
      {
        slot: "blue",
        deployment: "fraud-blue",
        autoscaler: "fraud-blue",
        replicas: 2,
        direction: "from-autoscaler",
      },
    ];
    expect(handovers(record(), there, both({ ...none, autoscaler: true }))).toEqual(back);
    // A killed command removed the autoscaler and did not give the number up.
    expect(handovers(record(), there, both({ ...none, taken: true }))).toEqual(back);
    expect(handovers(scaled, there, both({ autoscaler: true, taken: true }))).toEqual([]);
    expect(handovers(record(), there, both(none))).toEqual([]);
    expect(handovers(scaled, there, {})).toEqual([]);
    expect(handovers(scaled, observed({ blue: 0, green: 2 }), both(none))).toEqual([]);
  });

  test("an autoscaler keeps what is in its range", () => {
    expect(replicasAfter(2, { autoscaling }, 4)).toBe(4);
    expect(replicasAfter(2, { autoscaling }, 9)).toBe(6);
    expect(replicasAfter(2, undefined, 4)).toBe(2);
    expect(replicasAfter(0, { autoscaling }, 4)).toBe(0);
  });
});

describe("the image that really runs", () => {
  const first = "registry/fraud@sha256:1";

  test("is written down once", () => {
    const { record: found, notes } = withImagesRun(record(), observed({ blue: 1, green: 1 }, [first, first]));
    expect(found.releases.map(({ imageId }) => imageId)).toEqual([first, first]);
    expect(notes).toEqual([]);
    expect(withImagesRun(found, observed({ blue: 1, green: 1 }, [first])).record).toBe(found);
    expect(withImagesRun(record(), observed({ blue: 1, green: 1 })).notes).toEqual([]);
  });

  test("a tag that was moved is told", () => {
    const { record: found } = withImagesRun(record(), observed({ blue: 1, green: 1 }, [first]));
    const { notes } = withImagesRun(found, observed({ blue: 1, green: 1 }, ["registry/fraud@sha256:2"]));
    expect(notes[0]).toMatchObject({ code: "image-tag-moved" });
    expect(notes[0]?.message).toContain(`began with ${first}`);
    expect(withImagesRun(record(), observed({ blue: 1, green: 1 }, [first, "b"])).notes).toHaveLength(2);
  });

  test("an image that somebody set by hand is no tag that was moved, and none of the release", () => {
    const seen = observed({ blue: 1, green: 1 }, [first]);
    const { blue, green } = seen.slots;
    const byHand = blue.deployment && { ...blue.deployment, image: "fraud:hotfix" };
    const slots = { blue: { ...blue, deployment: byHand }, green };
    const { record: found, notes } = withImagesRun(record(), { ...seen, slots });
    expect(found.releases.map(({ imageId }) => imageId)).toEqual([undefined, first]);
    expect(notes).toEqual([]);
  });
});

describe("versions", () => {
  const names = ["secret/token", "configmap/limits"] as const;
  const signal = new AbortController().signal;
  const path = `/api/v1/namespaces/${testNamespace}/secrets/token`;

  test("are read without contents", async () => {
    const cluster = new FakeCluster();
    cluster.put(path, { data: { token: "aGVsbG8=" } });
    expect(await observeVersions(cluster, testNamespace, names, [], signal)).toEqual({ "secret/token": "1" });
    expect(cluster.requests[0]?.headers?.accept).toContain("as=PartialObjectMetadata");
  });

  test("one that is missing and needed is named", async () => {
    const asked = observeVersions(new FakeCluster(), testNamespace, names, ["secret/token"], signal);
    await expect(asked).rejects.toMatchObject({
      code: "secret-missing",
      message: expect.stringContaining("the Secret token"),
    });
  });

  test("one that may not be read is not known", async () => {
    const cluster = new FakeCluster();
    cluster.intercept = () => refusal(403, "Forbidden");
    expect(await observeVersions(cluster, testNamespace, names, names, signal)).toEqual({});
  });
});
