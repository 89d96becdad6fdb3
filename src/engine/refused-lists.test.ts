import { describe, expect, test } from "vitest";
import { isWatchFailure, refusedList } from "./refused-lists.ts";

const failed = (verb: string, reason: string) =>
  `E1130 14:00:12.1 99 reflector.go:200] "Failed to watch" err="failed to ${verb} *unstructured.Unstructured: ${reason}" logger="UnhandledError"`;
const said = (resource: string, verb = "list") =>
  failed(
    verb,
    `${resource} is forbidden: User \\"system:serviceaccount:ml:ci\\" cannot ${verb} resource \\"${resource}\\" in API group \\"\\" in the namespace \\"ml\\"`,
  );

describe("the provider's word on a list that is refused", () => {
  test("ends the run, and names the right that is missing", () => {
    expect(refusedList(said("endpoints"))?.("The update of stack ml")).toMatchObject({
      code: "permission-denied",
      message: expect.stringMatching(
        /^The update of stack ml was stopped.* system:serviceaccount:ml:ci may not list endpoints in the namespace ml/,
      ),
    });
  });

  test.each([
    "unknown",
    "the server has asked for the client to provide credentials",
    "<html>403 Forbidden</html>",
  ])("in the words of whoever stands before the API server, too: %s", (reason) => {
    const text = failed("list", `${reason} (get endpoints)`);
    expect(refusedList(text)?.("The update")).toMatchObject({
      code: "kubernetes-api-error",
      message: expect.stringContaining(`Its list of endpoints is refused: ${reason}`),
    });
  });

  test.each([
    ["events, which it does without", said("events")],
    ["events, in whoever's words", failed("list", "unknown (get events)")],
    ["a watch, without which it lists again and again", said("pods", "watch")],
    [
      "an API server that is away",
      failed(
        "list",
        'Get \\"https://10.0.0.1:6443/api/v1/pods\\": dial tcp 10.0.0.1:6443: connect: connection refused',
      ),
    ],
    [
      "its way back from a watch that cannot list",
      `I1130 reflector.go:491] "Data couldn't be fetched in watchlist mode. Falling back to regular list."`,
    ],
  ])("goes on for %s", (_what, text) => {
    expect(isWatchFailure(text)).toBe(true);
    expect(refusedList(text)).toBeUndefined();
  });

  test("is told from other messages", () => {
    const denied =
      'pods "a" is forbidden: User "x" cannot list resource "pods" in API group "" in the namespace "ml"';
    expect(refusedList(denied)).toBeUndefined();
    expect(isWatchFailure("Waiting for the Deployment to be updated")).toBe(false);
  });
});
