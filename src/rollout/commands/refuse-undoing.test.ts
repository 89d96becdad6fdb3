import { describe, expect, test } from "vitest";
import { settledOn } from "../../core/routing.ts";
import type { HandChange } from "../program/hand-changes.ts";
import { ofWhatServes } from "../program/hand-changes.ts";
import { undoneBy } from "./refuse-undoing.ts";

const change = (about: Partial<HandChange>): HandChange => ({
  kind: "Deployment",
  name: "fraud-blue",
  slot: "blue",
  path: "spec.template.spec.containers[model].image",
  before: "fraud:1",
  after: "fraud:hotfix",
  by: "k9s",
  at: undefined,
  ...about,
});

describe("what clients are served by", () => {
  test.each<[string, Partial<HandChange>, boolean]>([
    ["what the live slot runs", {}, true],
    ["what the idle slot runs", { slot: "green", name: "fraud-green" }, false],
    ["a restart", { path: 'spec.template.metadata.annotations["kubectl.kubernetes.io/restartedAt"]' }, false],
    ["its size", { path: "spec.replicas", before: 2, after: 5 }, false],
    ["how its pods are replaced", { path: "spec.strategy.type" }, false],
    ["the Service of the live slot", { kind: "Service", path: "spec.selector.app" }, true],
    ["the Service of the idle slot", { kind: "Service", slot: "green", path: "spec.selector.app" }, false],
    [
      "the size of the live slot's autoscaler",
      { kind: "HorizontalPodAutoscaler", path: "spec.maxReplicas" },
      true,
    ],
    ["the routing", { kind: "Ingress", name: "fraud", slot: undefined, path: "spec.tls" }, true],
  ])("%s: %o", (_what, about, isServing) => {
    const one = change(about);
    expect(ofWhatServes([one], settledOn("blue"))).toEqual(isServing ? [one] : []);
  });
});

describe("what `up` would undo", () => {
  const planned = (kind: string, name: string) => [
    { operation: "update", urn: "", kind, name, properties: [] } as const,
  ];
  test.each([
    ["of an object that Pulumi writes", [], planned("Deployment", "fraud-blue"), 1],
    [
      "of an object that is read into the state",
      [{ kind: "Deployment", name: "fraud-blue" }] as const,
      [],
      1,
    ],
    ["of everything", "everything" as const, [], 1],
    [
      "of another object",
      [{ kind: "Service", name: "fraud-green" }] as const,
      planned("Service", "fraud-blue"),
      0,
    ],
  ])("%s", (_what, drift, changes, expected) => {
    expect(undoneBy([change({})], drift, changes)).toHaveLength(expected);
  });
});
