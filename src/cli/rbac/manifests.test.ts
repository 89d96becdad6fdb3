import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { routerNamed } from "../../component/routers/factory.ts";
import { nginx } from "../../component/routers/nginx.ts";
import { objectNames } from "../../core/names.ts";
import { grants, type PolicyRule, permissionsOf } from "../../core/permission-checks.ts";
import { requiredRows } from "../../core/permissions.ts";
import { headerSecretsOf, manifestText, roleManifests, stateSecretsOf } from "./manifests.ts";

const options = {
  model: "fraud",
  names: objectNames("fraud"),
  namespace: "ml",
  readOnly: false,
  withOptional: false,
  anyName: false,
  subjects: [],
};
const rulesOf = (more: Partial<Parameters<typeof roleManifests>[0]> = {}) =>
  roleManifests({ ...options, ...more })[0]?.object.rules as PolicyRule[];
const commands = ["up", "switch", "destroy", "engine"] as const;
const needed = permissionsOf(requiredRows(nginx.rights), commands, objectNames("fraud"));

describe("the Role", () => {
  test("grants all that is needed", () => {
    const rules = rulesOf();
    expect(needed.filter((one) => !rules.some((rule) => grants(rule, one)))).toEqual([]);
  });

  test("grants what several routers need, for a model that moves from one to another", () => {
    const routers = ["gateway-api", "traefik", "nginx"] as const;
    const [router, ...alsoRouters] = routers;
    const rules = rulesOf({ router, alsoRouters });
    const all = routers.flatMap((name) =>
      permissionsOf(requiredRows(routerNamed(name).rights), commands, objectNames("fraud")),
    );
    expect(all.filter((one) => !rules.some((rule) => grants(rule, one)))).toEqual([]);
    const alone = rulesOf({ router: "gateway-api" });
    expect(all.filter((one) => !alone.some((rule) => grants(rule, one)))).not.toEqual([]);
  });

  test("grants nothing of other models", () => {
    const rules = rulesOf();
    const others = permissionsOf(
      requiredRows(nginx.rights),
      ["up", "switch", "destroy"],
      objectNames("spam"),
    ).filter(({ name }) => name !== undefined);
    expect(others.filter((one) => rules.some((rule) => grants(rule, one)))).toEqual([]);
  });

  test("in the controller's namespace is one of its own, and bound to the same people", () => {
    const subjects = [{ kind: "ServiceAccount", name: "ci" }] as const;
    const manifests = roleManifests({ ...options, subjects, metricsNamespaces: ["traefik"] });
    const there = manifests.filter(
      ({ object }) => (object.metadata as { namespace?: string }).namespace === "traefik",
    );
    expect(there.map(({ object }) => object)).toMatchObject([
      {
        kind: "Role",
        metadata: { name: "ml-fraud-modelswitch-metrics" },
        rules: [
          { resources: ["pods"], verbs: ["list"] },
          { resources: ["pods/proxy"], verbs: ["get"] },
        ],
      },
      {
        kind: "RoleBinding",
        roleRef: { kind: "Role", name: "ml-fraud-modelswitch-metrics" },
        subjects: [{ name: "ci", namespace: "ml" }],
      },
    ]);
  });

  test("for reading changes nothing", () => {
    const verbs = new Set(rulesOf({ readOnly: true, withOptional: true }).flatMap((rule) => rule.verbs));
    expect([...verbs].sort()).toEqual(["get", "list"]);
  });

  test("grants the Secrets of headers by name, and to nobody who only looks", () => {
    const probeHeaders = {
      Authorization: { secret: "probe", key: "token" },
      "X-Tenant": { secret: "probe", key: "tenant" },
      "X-Key": { env: "KEY" },
      Accept: "application/json",
    };
    const headerSecrets = headerSecretsOf({ probeHeaders });
    expect(headerSecrets).toEqual(["probe"]);
    expect(headerSecretsOf({})).toEqual([]);
    const secrets = (more: object) =>
      rulesOf({ headerSecrets, ...more }).filter(({ resources }) => resources?.includes("secrets"));
    const rule = { apiGroups: [""], resources: ["secrets"], resourceNames: ["probe"], verbs: ["get"] };
    expect(secrets({})).toEqual([rule]);
    expect(secrets({ anyName: true })).toEqual([rule]);
    expect(secrets({ readOnly: true })).toEqual([]);
  });

  test("grants the Secrets of the state by name, all of them, and to nobody who only looks", () => {
    const pulumi = {
      project: "modelswitch-fraud",
      stack: "ml",
      backendUrl: undefined,
      secretsProvider: undefined,
    };
    const stateSecrets = stateSecretsOf({ name: "fraud", pulumi }) ?? [];
    expect(stateSecrets).toHaveLength(33);
    const secrets = (more: object) =>
      rulesOf({ stateSecrets, ...more }).filter(({ resources }) => resources?.includes("secrets"));
    const rules = [
      { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
      {
        apiGroups: [""],
        resources: ["secrets"],
        resourceNames: stateSecrets,
        verbs: ["get", "update", "delete"],
      },
    ];
    expect(secrets({})).toEqual(rules);
    expect(secrets({ anyName: true })).toEqual(rules);
    expect(secrets({ readOnly: true })).toEqual([]);
    expect(
      stateSecretsOf({ name: "fraud", pulumi: { ...pulumi, backendUrl: "s3://models" } }),
    ).toBeUndefined();
    expect(
      stateSecretsOf({ name: "fraud", pulumi: { ...pulumi, secretsProvider: "awskms://k" } }),
    ).toBeUndefined();
  });

  test("for objects of any name has no names", () => {
    expect(rulesOf({ anyName: true }).some((rule) => rule.resourceNames !== undefined)).toBe(false);
  });
});

test("the manifests are valid YAML, bound to whom they are for", () => {
  const text = manifestText(
    roleManifests({ ...options, withOptional: true, subjects: [{ kind: "ServiceAccount", name: "ci" }] }),
  );
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Record<string, unknown>);
  expect(documents.map(({ kind }) => kind)).toEqual([
    "Role",
    "RoleBinding",
    "ClusterRole",
    "ClusterRoleBinding",
  ]);
  expect(documents[1]?.subjects).toEqual([{ kind: "ServiceAccount", name: "ci", namespace: "ml" }]);
  expect(text).toContain("# the routing: where the traffic goes");
});

test("the Role of a router has the kinds that it writes, by name, and no others of the routing", () => {
  const role = roleManifests({ ...options, router: "traefik", withOptional: true })[0]?.object;
  const rules = (role?.rules ?? []) as PolicyRule[];
  const wanted = permissionsOf(requiredRows(routerNamed("traefik").rights), commands, objectNames("fraud"));
  expect(wanted.filter((one) => !rules.some((rule) => grants(rule, one)))).toEqual([]);
  const routing = rules.filter(({ apiGroups }) => apiGroups?.includes("traefik.io"));
  expect(routing.flatMap(({ resources }) => resources)).toEqual(
    expect.arrayContaining(["ingressroutes", "traefikservices"]),
  );
  for (const { resourceNames, verbs } of routing)
    expect(resourceNames ?? verbs).toEqual(resourceNames === undefined ? ["create"] : ["fraud"]);
  expect(rules.some(({ resources }) => resources?.includes("ingresses"))).toBe(false);
});

test.each([
  ["haproxy", ["fraud-union"], ["fraud"]],
  ["haproxy-tech", ["fraud-shift", "fraud-preview"], ["fraud", "fraud-shift", "fraud-preview"]],
] as const)(
  "the Role of the router %s has its Services beside those of the slots",
  (router, services, ingresses) => {
    const role = roleManifests({ ...options, router, withOptional: true })[0]?.object;
    const rules = (role?.rules ?? []) as PolicyRule[];
    const namesOf = (resource: string) =>
      rules
        .filter(({ resources, verbs }) => resources?.includes(resource) && verbs?.includes("patch"))
        .map(({ resourceNames }) => resourceNames);
    expect(namesOf("services")).toEqual(expect.arrayContaining([["fraud-blue", "fraud-green"], services]));
    expect(namesOf("ingresses")).toEqual([ingresses]);
  },
);
