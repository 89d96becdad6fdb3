import { describe, expect, test } from "vitest";
import type { ApiRequest } from "../kubernetes/api.ts";
import type { Handler } from "./fixtures/fake-cluster.ts";
import { type Exchange, recordedExchanges } from "./fixtures/recordings.ts";
import { subject } from "./fixtures/subject.ts";
import { at, listAt, mapAt, nameOf, namespaceOf, text, without } from "./objects.ts";
import { checkConfig, diffConfig } from "./provider-config.ts";
import { hasUnknown, isMap, type PropertyMap, reveal } from "./struct.ts";

const title = (exchange: Exchange, index: number) =>
  `${index} ${text(exchange.request, "urn").split("::").slice(2).join(" ")} (${exchange.recording})`;

const cases = (method: string) =>
  recordedExchanges(method).map((exchange, index) => [title(exchange, index), exchange] as const);

/** The live object in a recorded state. */
const liveOf = (state: PropertyMap): PropertyMap => {
  const { __inputs, __initialApiVersion, __fieldManager, ...live } = reveal(state);
  return live;
};

/** States compare equal but for the field manager of new objects, which is made up. */
const withoutFieldManager = (state: PropertyMap) => without(state, ["__fieldManager"]);

/** Answers for what belongs to a recorded object: its ReplicaSet, its Service's endpoints. */
function surroundings(live: PropertyMap): Handler {
  const owned = {
    metadata: {
      ownerReferences: [{ uid: text(live, "metadata", "uid") }],
      annotations: mapAt(live, "metadata", "annotations"),
    },
    status: { readyReplicas: at(live, "status", "readyReplicas") },
  };
  return (request) => {
    if (request.path.endsWith("/replicasets")) return { body: { items: [owned] } };
    if (/\/(pods|endpointslices|services|ingressclasses)$/.test(request.path)) return { body: { items: [] } };
    return undefined;
  };
}

const isFor = (request: ApiRequest, live: PropertyMap) => request.path.endsWith(`/${nameOf(live)}`);

describe("Check answers as the official provider", () => {
  test.each(cases("Check"))("%s", async (_title, { request, response }) => {
    const recorded = mapAt(response, "inputs");
    const result = await subject().provider.check({
      urn: text(request, "urn"),
      olds: mapAt(request, "olds"),
      news: mapAt(request, "news"),
      randomSeed: Buffer.from(text(request, "randomSeed"), "base64"),
      autonaming: { mode: "default" },
    });
    if (!result.ok) throw new Error(result.reason);
    const isNew = Object.keys(mapAt(request, "olds")).length === 0;
    const autonamed = at(recorded, "metadata", "annotations", "pulumi.com/autonamed") === "true";
    if (isNew && autonamed) {
      expect(nameOf(result.inputs)).toMatch(/-[0-9a-f]{8}$/);
      expect(nameOf(result.inputs).slice(0, -8)).toBe(nameOf(recorded).slice(0, -8));
      expect(without(result.inputs, ["metadata", "name"])).toEqual(without(recorded, ["metadata", "name"]));
    } else {
      expect(result.inputs).toEqual(recorded);
    }
  });
});

describe("Diff answers as the official provider", () => {
  const kind = { add: "ADD", delete: "DELETE", update: "UPDATE" } as const;

  test.each(cases("Diff"))("%s", async (_title, { request, response }) => {
    const diff = await subject().provider.diff({
      urn: text(request, "urn"),
      olds: mapAt(request, "olds"),
      news: mapAt(request, "news"),
      ignoreChanges: listAt(request, "ignoreChanges").map(String),
    });
    const detailed = Object.fromEntries(
      [...diff.changes].map(([path, change]) => [
        path,
        { kind: `${kind[change.kind]}${change.replaces ? "_REPLACE" : ""}` },
      ]),
    );
    expect(detailed).toEqual(mapAt(response, "detailedDiff"));
    expect([...diff.replaces].sort()).toEqual([...listAt(response, "replaces")].sort());
    expect(diff.deleteBeforeReplace).toBe(at(response, "deleteBeforeReplace") ?? false);
    expect(diff.changes.size === 0 ? "DIFF_NONE" : "DIFF_SOME").toBe(text(response, "changes"));
  });
});

describe("Create answers as the official provider", () => {
  const succeeded = cases("Create").filter(([, exchange]) => exchange.errors.length === 0);

  test.each(succeeded)("%s", async (_title, { request, response }) => {
    const preview = at(request, "preview") === true;
    const inputs = mapAt(request, "properties");
    const live = liveOf(mapAt(response, "properties"));
    // A preview in a namespace that doesn't exist yet comes back as it was declared.
    const unpreviewable = preview && at(response, "properties", "__inputs") === undefined;
    const refused = { status: 404, body: { reason: "NotFound", message: 'namespaces "models" not found' } };
    const { provider, cluster } = subject((sent) => {
      if (sent.method === "POST") return unpreviewable ? refused : { status: 201, body: live };
      return isFor(sent, live) ? { body: live } : surroundings(live)(sent);
    });
    const result = await provider.create({ urn: text(request, "urn"), inputs, timeoutSeconds: 0, preview });
    expect(withoutFieldManager(result.state)).toEqual(withoutFieldManager(mapAt(response, "properties")));
    expect(result.id).toBe(text(response, "id"));
    const post = cluster.requests.find((sent) => sent.method === "POST");
    if (hasUnknown(inputs)) expect(post).toBeUndefined();
    else {
      expect(post?.body).toEqual(reveal(inputs));
      expect(post?.query).toEqual({
        fieldManager: "pulumi-kubernetes",
        ...(preview ? { dryRun: "All" } : {}),
      });
    }
    if (!unpreviewable)
      expect(text(result.state, "__fieldManager")).toMatch(/^pulumi-kubernetes-[0-9a-f]{8}$/);
  });
});

describe("Update answers as the official provider", () => {
  test.each(cases("Update"))("%s", async (_title, { request, response }) => {
    const preview = at(request, "preview") === true;
    const before = liveOf(mapAt(request, "olds"));
    const after = liveOf(mapAt(response, "properties"));
    let written = false;
    const { provider, cluster } = subject((sent) => {
      if (!isFor(sent, after)) return surroundings(after)(sent);
      if (sent.contentType === "application/apply-patch+yaml") {
        written = true;
        return { body: after };
      }
      return { body: written ? after : before };
    });
    const state = await provider.update({
      urn: text(request, "urn"),
      id: text(request, "id"),
      olds: mapAt(request, "olds"),
      news: mapAt(request, "news"),
      ignoreChanges: [],
      timeoutSeconds: 0,
      preview,
    });
    expect(state).toEqual(mapAt(response, "properties"));

    const patches = cluster.requests.filter((sent) => sent.method === "PATCH");
    const apply = patches.at(-1);
    expect(apply?.body).toEqual(reveal(mapAt(request, "news")));
    expect(apply?.query).toMatchObject({ fieldManager: text(state, "__fieldManager") });
    const owners = listAt(before, "metadata", "managedFields").filter(isMap);
    const firstUpdate = owners.some((entry) => entry.manager === "pulumi-kubernetes");
    // The first update makes the resource's own field manager the owner of its fields.
    expect(patches.length).toBe(firstUpdate && !preview ? 2 : 1);
  });
});

describe("Read answers as the official provider", () => {
  test.each(cases("Read"))("%s", async (_title, { request, response }) => {
    const live = liveOf(mapAt(response, "properties"));
    const exists = text(response, "id") !== "";
    const { provider } = subject((sent) =>
      exists && isFor(sent, live) ? { body: live } : surroundings(live)(sent),
    );
    const result = await provider.read({
      urn: text(request, "urn"),
      id: text(request, "id"),
      state: mapAt(request, "properties"),
      inputs: mapAt(request, "inputs"),
      imports: false,
    });
    if (!exists) {
      expect(result).toBeUndefined();
      return;
    }
    const known = text(request, "properties", "__fieldManager") !== "";
    const strip = known ? (state: PropertyMap) => state : withoutFieldManager;
    expect(strip(result?.state ?? {})).toEqual(strip(mapAt(response, "properties")));
    expect(result?.inputs).toEqual(mapAt(response, "inputs"));
    expect(result?.id).toBe(text(response, "id"));
  });
});

describe("Delete asks as the official provider", () => {
  test.each(cases("Delete"))("%s", async (_title, { request }) => {
    const live = liveOf(mapAt(request, "properties"));
    let deleted = false;
    const { provider, cluster } = subject((sent) => {
      if (sent.method === "DELETE") deleted = true;
      return deleted && sent.method === "GET" ? undefined : { body: live };
    });
    await provider.delete({
      urn: text(request, "urn"),
      id: text(request, "id"),
      state: mapAt(request, "properties"),
      timeoutSeconds: 0,
    });
    const sent = cluster.requests.find(({ method }) => method === "DELETE");
    expect(sent?.path.endsWith(`/${nameOf(live)}`)).toBe(true);
    expect(sent?.path.includes(`/namespaces/${namespaceOf(live)}/`)).toBe(namespaceOf(live) !== "");
    expect(sent?.body).toMatchObject({ propagationPolicy: "Foreground" });
  });
});

describe("provider arguments", () => {
  test.each(cases("CheckConfig"))("CheckConfig %s", (_title, { request }) => {
    expect(checkConfig(text(request, "urn"), mapAt(request, "news"))).toEqual([]);
  });

  test.each(cases("DiffConfig"))("DiffConfig %s", (_title, { request, response }) => {
    const diff = diffConfig(mapAt(request, "olds"), mapAt(request, "news"));
    expect(diff.changed.length === 0 ? "DIFF_NONE" : "DIFF_SOME").toBe(text(response, "changes"));
  });
});
