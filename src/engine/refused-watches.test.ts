import { describe, expect, test } from "vitest";
import { isWatchFailure, refusedWatch, stoppedByRefusal } from "./refused-watches.ts";

const said = (resource: string, verb = "list") =>
  `E1130 14:00:12.1 99 reflector.go:200] "Failed to watch" err="failed to ${verb} *unstructured.Unstructured: ${resource} is forbidden: User \\"system:serviceaccount:ml:ci\\" cannot ${verb} resource \\"${resource}\\" in API group \\"\\" in the namespace \\"ml\\"" logger="UnhandledError"`;

describe("the provider's word on a list that is refused", () => {
  test("names the right that is missing", () => {
    expect(refusedWatch(said("endpoints"))).toEqual({
      verb: "list",
      group: "",
      resource: "endpoints",
      namespace: "ml",
      user: "system:serviceaccount:ml:ci",
    });
  });

  test("is no reason to stop where it does without", () => {
    for (const text of [said("events"), said("pods", "watch")]) {
      expect(refusedWatch(text)).toBeUndefined();
      expect(isWatchFailure(text)).toBe(true);
    }
    const fallback = `I1130 reflector.go:491] "Data couldn't be fetched in watchlist mode. Falling back to regular list."`;
    expect(isWatchFailure(fallback)).toBe(true);
  });

  test("is told from other messages", () => {
    expect(
      refusedWatch(
        'pods "a" is forbidden: User "x" cannot get resource "pods" in API group "" in the namespace "ml"',
      ),
    ).toBeUndefined();
    expect(isWatchFailure("Waiting for the Deployment to be updated")).toBe(false);
  });

  test("ends the run with an error that says so", () => {
    const denied = refusedWatch(said("endpoints"));
    if (denied === undefined) throw new Error("It is one.");
    expect(stoppedByRefusal("The update of stack ml", denied)).toMatchObject({
      code: "permission-denied",
      message: expect.stringMatching(
        /^The update of stack ml was stopped.* may not list endpoints in the namespace ml/,
      ),
    });
  });
});
