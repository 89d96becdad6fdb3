import { describe, expect, test } from "vitest";
import { deniedPermissions, whoAmI } from "./access.ts";
import { type ApiRequest, type KubernetesApi, KubernetesApiError } from "./api.ts";

const get = { verb: "get", group: "", resource: "services", name: "fraud-blue" };
const patch = { ...get, verb: "patch" };

function api(answer: (request: ApiRequest) => unknown) {
  const asked: string[] = [];
  const unused = () => {
    throw new Error("not used");
  };
  const json = async <T>(request: ApiRequest) => {
    asked.push(request.path.split("/").at(-1) ?? "");
    return answer(request) as T;
  };
  const fake: KubernetesApi = { server: "", request: unused, watch: unused, find: unused, json };
  return { fake, asked };
}

const refused = () => {
  throw new KubernetesApiError(403, "Forbidden", "no");
};

describe("denied permissions", () => {
  test("are found with one question where Roles grant the rest", async () => {
    const rule = { apiGroups: [""], resources: ["services"], verbs: ["get", "patch"] };
    const { fake, asked } = api(() => ({ status: { resourceRules: [rule] } }));
    expect(await deniedPermissions(fake, "ml", [get, patch])).toEqual([]);
    expect(asked).toEqual(["selfsubjectrulesreviews"]);
  });

  test("are asked for one by one where other authorizers may grant them", async () => {
    const { fake, asked } = api(({ path, body }) =>
      path.endsWith("rulesreviews")
        ? { status: { resourceRules: [], incomplete: true } }
        : { status: { allowed: JSON.stringify(body).includes('"get"') } },
    );
    expect(await deniedPermissions(fake, "ml", [get, patch])).toEqual([patch]);
    expect(asked).toHaveLength(3);
  });

  test("are unknown where the API server does not answer", async () => {
    expect(await deniedPermissions(api(refused).fake, "ml", [get])).toBe(undefined);
  });
});

test("the account is named where the API server names it", async () => {
  expect(await whoAmI(api(() => ({ status: { userInfo: { username: "ada" } } })).fake)).toBe("ada");
  expect(await whoAmI(api(refused).fake)).toBe(undefined);
});
