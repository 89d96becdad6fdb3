import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Handler } from "./fixtures/fake-cluster.ts";
import { asMap, clusterOf, liveOf } from "./fixtures/recorded-cluster.ts";
import { type Exchange, type Json, recordedStates, recordings } from "./fixtures/recordings.ts";
import { type Answer, Wire } from "./fixtures/wire.ts";
import { at, listAt, nameOf, namespaceOf, text, without } from "./objects.ts";
import { providerVersion } from "./server.ts";
import { hasUnknown, isMap, type PropertyMap, reveal } from "./struct.ts";

const title = ({ method, request }: Exchange, index: number) =>
  `${index} ${method} ${String(request.urn ?? "")
    .split("::")
    .slice(2)
    .join(" ")}`.trim();

/** Every recording is a conversation on one connection, held again from its first request to its last. */
describe.each(recordings)("the recording $name", ({ exchanges }) => {
  let handler: Handler = () => undefined;
  let wire: Wire;

  beforeAll(async () => {
    wire = await Wire.open((request) => handler(request));
  });

  afterAll(() => wire.close());

  test.each(exchanges.map((exchange, index) => [title(exchange, index), exchange] as const))(
    "%s",
    async (_title, exchange) => {
      handler = clusterOf(exchange);
      const already = wire.cluster.requests.length;
      const answer = await wire.send(exchange.method, exchange.request);
      const sent = wire.cluster.requests.slice(already);
      if (exchange.errors === undefined) expectSame(exchange, answer);
      else expectFailure(exchange, exchange.errors.join(), answer);
      expectRequests(exchange, sent);
    },
  );
});

test("all fourteen recordings are there, with every exchange", () => {
  expect(recordings.map(({ name, exchanges }) => [name, exchanges.length])).toEqual([
    ["1-preview-create", 20],
    ["2-create", 22],
    ["3-up-unchanged", 23],
    ["4-preview-update", 28],
    ["5-update", 29],
    ["6-refresh", 21],
    ["7-preview-replace", 25],
    ["8-replace", 26],
    ["9-destroy", 12],
    ["20-create", 9],
    ["21-up-after-drift-without-refresh", 10],
    ["22-refresh-after-drift", 7],
    ["23-up-after-refresh", 11],
    ["24-bad-resources", 18],
  ]);
});

/** A state that the official provider left, held against the inputs that led to it. */
describe.each(recordedStates)("the state after $recording", ({ resources }) => {
  const managed = resources.filter(({ custom, external, type }) => {
    return custom && external !== true && type.startsWith("kubernetes:");
  });

  test.each(managed)("$urn shows no change", async ({ urn, id = "", inputs = {}, outputs = {} }) => {
    const wire = await Wire.open(() => undefined);
    try {
      const plain = (properties: Json): Json => JSON.parse(JSON.stringify(properties), decrypted) as Json;
      await wire.send("Configure", { variables: {} });
      const diff = await wire.send("Diff", { urn, id, olds: plain(outputs), news: plain(inputs) });
      expect(diff).toEqual({ ok: true, response: { changes: "DIFF_NONE", hasDetailedDiff: true } });
      const check = await wire.send("Check", { urn, olds: plain(inputs), news: plain(inputs) });
      expect(check).toEqual({ ok: true, response: { inputs: plain(inputs) } });
    } finally {
      wire.close();
    }
  });
});

/** Secrets stand in a state that is not encrypted as JSON in a text; the engine sends them as a value. */
function decrypted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("plaintext" in value)) return value;
  const { plaintext, ...mark } = value;
  return { ...mark, value: JSON.parse(String(plaintext)) };
}

/** The same answer, up to values that are made up: names, field managers, the provider's own version. */
function expectSame({ method, request, response = {} }: Exchange, answer: Answer): void {
  if (!answer.ok) throw new Error(`${method} failed: ${answer.message}`);
  const actual = answer.response;
  switch (method) {
    case "GetPluginInfo":
      expect(actual).toEqual({ version: providerVersion });
      return;
    case "Check": {
      const recorded = asMap(response.inputs);
      const isNew = Object.keys(asMap(request.olds)).length === 0;
      const autonamed = at(recorded, "metadata", "annotations", "pulumi.com/autonamed") === "true";
      if (!isNew || !autonamed) {
        expect(actual).toEqual(response);
        return;
      }
      const inputs = asMap(actual.inputs);
      expect(nameOf(inputs)).toMatch(/-[0-9a-f]{8}$/);
      expect(nameOf(inputs).slice(0, -8)).toBe(nameOf(recorded).slice(0, -8));
      expect(without(inputs, ["metadata", "name"])).toEqual(without(recorded, ["metadata", "name"]));
      return;
    }
    case "Diff":
      expect({ ...actual, replaces: [...listAt(asMap(actual), "replaces")].sort() }).toEqual({
        ...response,
        replaces: [...listAt(asMap(response), "replaces")].sort(),
      });
      return;
    case "Create":
    case "Read": {
      const known = text(asMap(request.properties), "__fieldManager") !== "";
      const manager = text(asMap(actual.properties), "__fieldManager");
      if (known || at(asMap(response.properties), "__fieldManager") === undefined) {
        expect(actual).toEqual(response);
        return;
      }
      expect(manager).toMatch(/^pulumi-kubernetes-[0-9a-f]{8}$/);
      const properties = { ...(actual.properties as Json), __fieldManager: "" };
      expect({ ...actual, properties }).toEqual({
        ...response,
        properties: { ...(response.properties as Json), __fieldManager: "" },
      });
      return;
    }
    default:
      expect(actual).toEqual(response);
  }
}

/** What failed with the official provider fails as well, keeps as much in the state, and says more. */
function expectFailure({ method, request }: Exchange, recorded: string, answer: Answer): void {
  if (answer.ok) throw new Error(`${method} did not fail: ${recorded}`);
  if (method === "Handshake") {
    expect(answer.code).toBe(status.UNIMPLEMENTED);
    return;
  }
  expect(answer.code).toBe(status.UNKNOWN);
  const inputs = asMap(request.properties);
  if (recorded.includes("was not successfully created")) {
    expect(answer.partial).toBeUndefined();
    expect(answer.message).toContain(recorded.slice(recorded.indexOf("Service ")));
    return;
  }
  expect(recorded).toContain("was successfully created");
  expect(answer.partial).toMatchObject({
    id: `default/${nameOf(inputs)}`,
    properties: { __inputs: request.properties, kind: text(inputs, "kind") },
  });
  const more = {
    crash:
      /0 of 1 replicas ready.*container m: CrashLoopBackOff: ended with exit code 127.*Failed: failed to pull.*\/nope/s,
    noimage:
      /0 of 1 replicas ready.*container m: ImagePullBackOff: Back-off pulling image "localhost\/absent:9"/s,
    noclass: /ingress class "absent" does not exist.*"missing", which does not exist/s,
  } as const;
  expect(answer.message).toMatch(more[nameOf(inputs) as keyof typeof more]);
}

type Sent = Wire["cluster"]["requests"][number];

/** What the API server was asked to do for it. */
function expectRequests({ method, request, errors }: Exchange, sent: readonly Sent[]): void {
  const writes = sent.filter((one) => one.method !== "GET");
  const preview = request.preview === true;
  switch (method) {
    case "Create": {
      const inputs = asMap(request.properties);
      if (hasUnknown(inputs)) {
        expect(sent).toEqual([]);
        return;
      }
      expect(writes).toMatchObject([
        {
          method: "POST",
          body: reveal(inputs),
          query: { fieldManager: "pulumi-kubernetes", ...(preview ? { dryRun: "All" } : {}) },
        },
      ]);
      if (!preview) expect(writes[0]?.query).not.toHaveProperty("dryRun");
      return;
    }
    case "Update": {
      const before: PropertyMap = liveOf(request.olds);
      const owners = listAt(before, "metadata", "managedFields").filter(isMap);
      const firstUpdate = owners.some((entry) => entry.manager === "pulumi-kubernetes");
      // The first update makes the resource's own field manager the owner of its fields.
      expect(writes.length).toBe(firstUpdate && !preview ? 2 : 1);
      expect(writes.at(-1)).toMatchObject({
        method: "PATCH",
        body: reveal(asMap(request.news)),
        query: { fieldManager: text(asMap(request.olds), "__fieldManager") },
      });
      expect(writes.every((one) => (one.query?.dryRun === "All") === preview)).toBe(true);
      return;
    }
    case "Delete": {
      const live = liveOf(request.properties);
      expect(writes).toMatchObject([{ method: "DELETE", body: { propagationPolicy: "Foreground" } }]);
      expect(writes[0]?.path.endsWith(`/${nameOf(live)}`)).toBe(true);
      expect(writes[0]?.path.includes(`/namespaces/${namespaceOf(live)}/`)).toBe(namespaceOf(live) !== "");
      return;
    }
    default:
      expect(errors === undefined || method === "Handshake").toBe(true);
      expect(writes).toEqual([]);
  }
}
