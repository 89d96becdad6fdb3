import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UserError } from "../core/errors.ts";
import { checkInputs } from "./check.ts";
import { checkpointOf, parseCheckpoint, toObject } from "./checkpoint.ts";
import { confidentialError, confidentialLog } from "./confidential.ts";
import { diffObject, parsePath } from "./diff.ts";
import { describeImmutable, secretTexts } from "./errors.ts";
import { covers } from "./field-managers.ts";
import { subject, urnOf } from "./fixtures/subject.ts";
import { mergePatch } from "./merge-patch.ts";
import { normalize } from "./normalize.ts";
import { at, deepEqual, prune, withUnreturned } from "./objects.ts";
import {
  hasSecret,
  hasUnknown,
  isList,
  isMap,
  type PropertyMap,
  type PropertyValue,
  reveal,
  Secret,
  Unknown,
} from "./struct.ts";

const key = fc
  .string({ minLength: 1, maxLength: 4 })
  .filter((name) => !["__proto__", "kind", "apiVersion"].includes(name));

/** Any JSON; without `null`, which in a merge patch means something else. */
const { value } = fc.letrec<{ value: PropertyValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.boolean(),
    fc.integer(),
    fc.string({ maxLength: 6 }),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const map = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true });

/** The same map with some of its values secret. */
const withSecrets = (from: PropertyMap, choose: () => boolean): PropertyMap =>
  Object.fromEntries(
    Object.entries(from).map(([name, inner]) => {
      if (choose()) return [name, new Secret(inner)];
      return [name, isMap(inner) ? withSecrets(inner, choose) : inner];
    }),
  );

const object = (spec: PropertyMap, kind = "Widget"): PropertyMap => ({
  apiVersion: kind === "Widget" ? "example.com/v1" : "apps/v1",
  kind,
  metadata: { name: "w", namespace: "n" },
  spec,
});

const mutability = { configMapMutable: false, secretMutable: false };
const diffOf = (inputs: PropertyMap, live: PropertyMap, news: PropertyMap) =>
  diffObject({
    olds: checkpointOf({ inputs, live, initialApiVersion: "v1", fieldManager: "m" }, inputs),
    news,
    ignoreChanges: [],
    namespaced: true,
    mutability,
  });

/** RFC 7386. */
function patched(target: PropertyValue | undefined, patch: PropertyValue): PropertyValue {
  if (!isMap(patch)) return patch;
  const result: PropertyMap = isMap(target) ? { ...target } : {};
  for (const [name, inner] of Object.entries(patch)) {
    if (inner === null) delete result[name];
    else result[name] = patched(result[name], inner);
  }
  return result;
}

/** An object as the API server gives it back: with everything that was declared, and more. */
const grown = (declared: PropertyMap, more: PropertyMap): PropertyMap => ({
  ...more,
  ...Object.fromEntries(
    Object.entries(declared).map(([name, inner]) => [name, isMap(inner) ? grown(inner, more) : inner]),
  ),
});

describe("for any object", () => {
  test("a merge patch leads from the one to the other", () => {
    fc.assert(
      fc.property(map, map, (from, to) => {
        expect(patched(from, mergePatch(from, to))).toEqual(to);
      }),
    );
  });

  test("what was declared and came back, with defaults beside it, is no difference", () => {
    fc.assert(
      fc.property(map, map, (spec, defaults) => {
        const inputs = object(spec);
        const live = { ...inputs, spec: grown(spec, defaults) };
        expect([...diffOf(inputs, live, inputs).changes.keys()]).toEqual([]);
      }),
    );
  });

  test("there is a difference exactly if the declared differs", () => {
    fc.assert(
      fc.property(map, map, (before, after) => {
        const diff = diffOf(object(before), object(before), object(after));
        expect(diff.changes.size === 0).toBe(deepEqual(before, after));
      }),
    );
  });

  test("what a diff names is there, missing or different as it says", () => {
    const named = fc.dictionary(fc.stringMatching(/^[a-z./[\]"-]{1,4}$/), value, {
      maxKeys: 4,
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(named, named, (before, after) => {
        const [old, next] = [object(before), object(after)];
        for (const [path, { kind }] of diffOf(old, old, next).changes) {
          const [was, is] = [old, next].map((side) => lookUp(side, parsePath(path)));
          const [isNew, isGone] = [was === undefined, is === undefined];
          expect({ path, kind }).toEqual({ path, kind: isNew ? "add" : isGone ? "delete" : "update" });
          expect(deepEqual(was, is)).toBe(false);
        }
      }),
    );
  });

  test("pruning gives what it is pruned to, and nothing is added by it", () => {
    fc.assert(
      fc.property(map, map, (declared, more) => {
        expect(prune(grown(declared, more), declared)).toEqual(declared);
        expect(prune(declared, declared)).toEqual(declared);
      }),
    );
  });

  test("a refresh of what has not changed gives the inputs back, whatever the API server dropped of them", () => {
    fc.assert(
      fc.property(map, fc.infiniteStream(fc.boolean()), (declared, choices) => {
        const drop = (from: PropertyMap): PropertyMap =>
          Object.fromEntries(
            Object.entries(from)
              .filter(() => choices.next().value === true)
              .map(([name, inner]) => [name, isMap(inner) ? drop(inner) : inner]),
          );
        const same = drop(declared);
        expect(withUnreturned(prune(same, declared), declared, same, same)).toEqual(declared);
      }),
    );
  });

  test("an object covers itself with more in it", () => {
    fc.assert(
      fc.property(map, map, (declared, more) => {
        expect(covers(grown(declared, more), declared)).toBe(true);
      }),
    );
  });

  test("normalising twice is normalising once", () => {
    fc.assert(
      fc.property(map, fc.constantFrom("Widget", "Deployment"), (spec, kind) => {
        const once = normalize(object(spec, kind));
        expect(normalize(once)).toEqual(once);
      }),
    );
  });

  test("a state gives back the inputs and the object that it was made of, and keeps every secret a secret", () => {
    fc.assert(
      fc.property(map, map, fc.infiniteStream(fc.boolean()), (spec, status, choices) => {
        const choose = () => choices.next().value === true;
        const given = withSecrets({ ...object(spec) }, choose);
        const inputs = toObject(given);
        const live = { ...inputs, status };
        const state = checkpointOf({ inputs, live, initialApiVersion: "v1", fieldManager: "m" }, given);
        const parsed = parseCheckpoint(state);
        expect(parsed.inputs).toEqual(inputs);
        expect(reveal({ ...parsed.live, __initialApiVersion: null, __fieldManager: null })).toEqual({
          ...live,
          __initialApiVersion: null,
          __fieldManager: null,
        });
        expect(coversSecrets(state, given)).toBe(true);
        expect(coversSecrets(state.__inputs ?? null, given)).toBe(true);
      }),
    );
  });

  test("checking what was checked changes nothing", () => {
    fc.assert(
      fc.property(map, fc.boolean(), (spec, named) => {
        const news: PropertyMap = { ...object(spec), metadata: named ? { name: "w" } : {} };
        const check = (olds: PropertyMap, inputs: PropertyMap) => {
          const result = checkInputs({
            urn: urnOf("example.com/v1:Widget", "w"),
            olds,
            news: inputs,
            randomSeed: Buffer.from("seed"),
            autonaming: { mode: "default" },
            defaultNamespace: "n",
            label: "none",
          });
          if (!result.ok) throw new Error(result.reason);
          return result.inputs;
        };
        const first = check({}, news);
        expect(check(first, news)).toEqual(first);
        expect(check(first, first)).toEqual(first);
      }),
    );
  });
});

function lookUp(root: PropertyValue, path: readonly (string | number)[]): PropertyValue | undefined {
  let current: PropertyValue | undefined = root;
  for (const step of path) {
    if (typeof step === "number") current = isList(current) ? current[step] : undefined;
    else current = isMap(current) && Object.hasOwn(current, step) ? current[step] : undefined;
  }
  return current;
}

/** Whether everything that is secret in the one is within a secret in the other. */
function coversSecrets(target: PropertyValue | undefined, from: PropertyValue): boolean {
  if (target === undefined || target instanceof Secret || !hasSecret(from)) return true;
  if (!isMap(from) || !isMap(target)) return false;
  return Object.entries(from).every(([name, inner]) => coversSecrets(target[name], inner));
}

describe("secrets", () => {
  const secret = "line one of it\nline two";
  const texts = secretTexts({ a: new Secret(secret) });
  const said = [secret, Buffer.from(secret).toString("base64"), JSON.stringify(secret), "log: line two"].join(
    " and ",
  );
  const hidden = /line (one|two)|bGluZSBvbmU/;

  test("are hidden in every form: plain, encoded, quoted, line by line", () => {
    const told: string[] = [];
    const log = confidentialLog(
      {
        log: (_severity, _urn, message) => told.push(message),
        status: (_severity, _urn, message) => told.push(message),
        close: () => {},
      },
      texts,
    );
    log.log("info", "urn", said);
    log.status("info", "urn", said);
    const error = confidentialError(new Error(said), texts);
    told.push(error instanceof Error ? error.message : "");
    expect(told).toHaveLength(3);
    for (const message of told) expect(message).not.toMatch(hidden);
  });

  test("of one resource are hidden in what is said of another", async () => {
    const { provider } = subject(() => ({
      status: 500,
      body: { message: "the log says t0ken-of-it and x" },
    }));
    const creating = { timeoutSeconds: 0, preview: false };
    const make = (kind: string, more: PropertyMap) =>
      provider.create({
        ...creating,
        urn: urnOf(`core/v1:${kind}`, "o"),
        inputs: { apiVersion: "v1", kind, metadata: { name: "o", namespace: "n" }, ...more },
      });
    await expect(make("Secret", { stringData: new Secret({ a: "t0ken-of-it", b: "x" }) })).rejects.toThrow();
    await expect(make("ConfigMap", {})).rejects.toThrow("the log says [secret] and x");
  });

  test("in what `kubectl apply` noted are not kept in the state", () => {
    const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
    const live: PropertyMap = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", annotations: { [lastApplied]: '{"data":{"a":"c2VjcmV0"}}', other: "kept" } },
      data: { a: "c2VjcmV0" },
    };
    const state = checkpointOf({ inputs: {}, live, initialApiVersion: "v1", fieldManager: "m" }, {});
    expect(at(state, "metadata", "annotations")).toEqual({ other: "kept" });
    expect(state.data).toBeInstanceOf(Secret);
    const configMap = { ...live, kind: "ConfigMap" };
    const plain = checkpointOf(
      { inputs: {}, live: configMap, initialApiVersion: "v1", fieldManager: "m" },
      {},
    );
    expect(at(plain, "metadata", "annotations", lastApplied)).toBeDefined();
  });
});

describe("values that are not known yet", () => {
  const unknown = object({ size: new Unknown() });
  const urn = urnOf("argoproj.io/v1alpha1:AnalysisTemplate", "w");

  test("stay unknown in checks and updates of a preview, and nothing is asked of the API server", async () => {
    const { provider, cluster } = subject();
    const olds = { ...object({ size: 1 }), __inputs: object({ size: 1 }) };
    const check = await provider.check({
      urn,
      olds: object({ size: 1 }),
      news: unknown,
      randomSeed: new Uint8Array(),
      autonaming: { mode: "default" },
    });
    expect(check.ok && hasUnknown(check.inputs)).toBe(true);
    const updating = { urn, id: "n/w", olds, news: unknown, ignoreChanges: [], timeoutSeconds: 0 };
    expect(await provider.update({ ...updating, preview: true })).toEqual(unknown);
    expect(cluster.requests).toEqual([]);
  });
});

describe("immutable fields", () => {
  const configMap = (a: string, immutable?: boolean): PropertyMap => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "c", namespace: "n" },
    data: { a },
    ...(immutable === undefined ? {} : { immutable }),
  });
  const replaces = (before: PropertyMap, after: PropertyMap) =>
    diffObject({
      olds: { ...before, __inputs: before },
      news: after,
      ignoreChanges: [],
      namespaced: true,
      mutability: { configMapMutable: true, secretMutable: true },
    }).replaces;

  test("a ConfigMap that is immutable is replaced even where ConfigMaps may change", () => {
    expect(replaces(configMap("1"), configMap("2"))).toEqual([]);
    expect(replaces(configMap("1", true), configMap("2", true))).toEqual(["data.a"]);
    expect(replaces(configMap("1"), configMap("2", true))).toEqual(["data.a"]);
    // Once immutable, always immutable.
    expect(replaces(configMap("1", true), configMap("1"))).toEqual(["immutable"]);
    expect(replaces(configMap("1", true), configMap("1", false))).toEqual(["immutable"]);
  });

  test("a refusal that the official provider passes on says how to go on", () => {
    const message = describeImmutable(
      'Deployment.apps "d" is invalid: spec.selector: Invalid value: {}: field is immutable',
    );
    expect(message).toContain('replaceOnChanges: ["spec.selector"]');
    expect(describeImmutable("spec.replicas: Invalid value: -1")).toBe("spec.replicas: Invalid value: -1");
  });
});

describe("the annotation pulumi.com/replaceUnready", () => {
  const job = (type: string): PropertyMap => ({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "j", namespace: "n", annotations: { "pulumi.com/replaceUnready": "true" } },
    status: { conditions: [{ type, status: "True" }] },
  });
  const diff = (type: string) => {
    const { status: _status, ...inputs } = job(type);
    const { provider } = subject(() => ({ body: job(type) }));
    const olds = { ...job(type), __inputs: inputs };
    return provider.diff({ urn: urnOf("batch/v1:Job", "j"), olds, news: inputs, ignoreChanges: [] });
  };

  test("replaces a Job that has not succeeded", async () => {
    expect((await diff("Complete")).replaces).toEqual([]);
    const failed = await diff("Failed");
    expect(failed.replaces).toEqual(['metadata.annotations["pulumi.com/replaceUnready"]']);
    expect(failed.deleteBeforeReplace).toBe(true);
  });
});

test("with skipUpdateUnreachable an update of what can't be reached is no change", async () => {
  const away = () => {
    throw new UserError({ code: "cluster-unreachable", message: "away", hint: "" });
  };
  const olds = object({ size: 1 });
  const check = (variables: Record<string, string>) =>
    subject(away, variables).provider.check({
      urn: urnOf("argoproj.io/v1alpha1:AnalysisTemplate", "w"),
      olds,
      news: object({ size: 2 }),
      randomSeed: new Uint8Array(),
      autonaming: { mode: "default" },
    });
  expect(await check({ skipUpdateUnreachable: "true" })).toEqual({ ok: true, inputs: olds });
  expect(await check({})).toMatchObject({ inputs: { spec: { size: 2 } } });
});
