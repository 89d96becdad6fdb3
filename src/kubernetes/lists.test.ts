import { describe, expect, test } from "vitest";
import { type ApiRequest, type KubernetesApi, KubernetesApiError } from "./api.ts";
import { Lists } from "./lists.ts";

/** Answers in turn with objects of these versions, with nothing, or with an error. */
function listing(...answers: readonly (readonly (string | undefined)[] | undefined | Error)[]) {
  const asked: ApiRequest["query"][] = [];
  const rest = [...answers];
  const find = (_path: string, { query }: Pick<ApiRequest, "query"> = {}) => {
    asked.push(query);
    const answer = rest.shift();
    if (answer instanceof Error) return Promise.reject(answer);
    const items = answer?.map((resourceVersion) => ({ metadata: { resourceVersion } }));
    return Promise.resolve(items && { items });
  };
  return { asked, lists: new Lists({ server: "", find } as unknown as KubernetesApi) };
}

const about = { labelSelector: "app=fraud" };
const notOlder = (resourceVersion: string) => ({
  ...about,
  resourceVersion,
  resourceVersionMatch: "NotOlderThan",
});

describe("Lists", () => {
  test("the first is the newest, and each further one not older than the newest object seen", async () => {
    const { asked, lists } = listing(["7", "9"], ["8"], ["12"], []);
    for (let index = 0; index < 4; index++) await lists.find("/pods", about);
    expect(asked).toEqual([about, notOlder("9"), notOlder("9"), notOlder("12")]);
  });

  test("kinds have nothing to do with each other, and what has no number teaches nothing", async () => {
    const { asked, lists } = listing(["7"], undefined, [], [undefined, "a3"], ["8"]);
    await lists.find("/pods", about);
    for (let index = 0; index < 4; index++) await lists.find("/endpointslices", about);
    expect(asked).toEqual([about, about, about, about, about]);
  });

  test("a cluster that never got as far is asked for the newest", async () => {
    const tooLarge = new KubernetesApiError(504, "Timeout", "Too large resource version: 7, current: 3");
    const { asked, lists } = listing(["7"], tooLarge, ["3"], ["4"]);
    for (let index = 0; index < 3; index++) await lists.find("/pods", about);
    expect(asked).toEqual([about, notOlder("7"), about, notOlder("3")]);
  });

  test("other failures are passed on", async () => {
    const { lists } = listing(["7"], new KubernetesApiError(403, "Forbidden", "no"));
    await lists.find("/pods", about);
    await expect(lists.find("/pods", about)).rejects.toThrow("no");
  });
});
