import { describe, expect, test } from "vitest";
import { describePath } from "../parts/problem.ts";
import { effectiveConfig, type LocatedProblem } from "./effective.ts";
import { projectOf, targetsOf } from "./project.ts";
import { type Choice, chooseTarget, chooseTargets } from "./select.ts";

const file = "/models/modelswitch.config.yaml";
const model = (name: string, more: object = {}) => ({
  release: { image: `registry.example.com/${name}:1` },
  ingress: { host: `${name}.example.com` },
  ...more,
});
const project = (more: object = {}) =>
  projectOf(
    {
      defaults: { server: "mlserver", ingress: { className: "traefik" } },
      models: {
        fraud: model("fraud"),
        churn: model("churn", { ingress: { host: "c.io", className: null } }),
      },
      environments: {
        staging: { namespace: "staging", models: { fraud: { release: { replicas: 1 } } } },
        production: { namespace: "ml", release: { replicas: 3 } },
      },
      ...more,
    },
    file,
  );
const put = (
  of: ReturnType<typeof project>,
  name: string,
  environment: string | undefined,
  overlay?: object,
  env = {},
) =>
  effectiveConfig(
    of,
    { model: name, environment },
    overlay === undefined
      ? undefined
      : { file: "/models/modelswitch.config.production.yaml", value: overlay },
    env,
  );
const lines = (problems: readonly LocatedProblem[]) =>
  problems.map(
    ({ file: from, path, message }) => `${from.replace("/models/", "")}: ${describePath(path)}: ${message}`,
  );
const fileLines = (input: unknown) =>
  projectOf(input, file).problems.map(({ path, message }) => `${describePath(path)}: ${message}`);

describe("one model in one environment", () => {
  test("is put together from the general to the special", () => {
    const { input, problems, origins } = put(project(), "fraud", "staging");
    expect(problems).toEqual([]);
    expect(input).toEqual({
      name: "fraud",
      namespace: "staging",
      server: "mlserver",
      release: { image: "registry.example.com/fraud:1", replicas: 1 },
      ingress: { className: "traefik", host: "fraud.example.com" },
    });
    expect(origins.get('["release","replicas"]')?.path).toEqual([
      "environments",
      "staging",
      "models",
      "fraud",
      "release",
      "replicas",
    ]);
    expect(put(project(), "churn", "production").input).toMatchObject({
      namespace: "ml",
      release: { replicas: 3 },
      ingress: { host: "c.io" },
    });
  });

  test("the environment's own file comes last", () => {
    const overlay = {
      configVersion: 1,
      namespace: "ml-eu",
      release: { replicas: 5 },
      models: { fraud: { release: { replicas: 7 } } },
    };
    expect(put(project(), "fraud", "production", overlay).input).toMatchObject({
      namespace: "ml-eu",
      release: { replicas: 7 },
    });
    expect(put(project(), "churn", "production", overlay).input).toMatchObject({ release: { replicas: 5 } });
  });

  test("a single model may have environments, too", () => {
    const one = projectOf(
      { name: "fraud", ...model("fraud"), environments: { staging: null, production: { live: "green" } } },
      file,
    );
    expect(one.problems).toEqual([]);
    expect(targetsOf(one)).toEqual([
      { model: "fraud", environment: "staging" },
      { model: "fraud", environment: "production" },
    ]);
    expect(put(one, "fraud", "production")).toMatchObject({
      problems: [],
      input: { name: "fraud", live: "green" },
    });
  });

  test("from one form of running to the other, with null", () => {
    const slots = { blue: { image: "a:1" }, green: { image: "a:2" } };
    const { input, problems } = put(project(), "fraud", "production", { release: null, slots });
    expect(problems).toEqual([]);
    expect(input).toMatchObject({ slots });
    expect(input).not.toHaveProperty("release");
  });

  test("mistakes are named where they stand", () => {
    const wrong = project({
      defaults: { routr: "nginx" },
      models: { fraud: model("fraud", { ingress: { hots: "x" } }) },
      environments: { production: { live: "gren", models: { fraud: { idleReplicas: -1 } } } },
    });
    expect(lines(put(wrong, "fraud", "production", { deadlines: { ready: "soon" } }).problems)).toEqual([
      'modelswitch.config.yaml: defaults.routr: is an unknown key; did you mean "router"?',
      "modelswitch.config.yaml: models.fraud.ingress.host: is missing (Host name that clients use, for example mlmodels.example.com)",
      'modelswitch.config.yaml: models.fraud.ingress.hots: is an unknown key; did you mean "ingress.host"?',
      'modelswitch.config.yaml: environments.production.live: "gren" is none of blue, green; did you mean "green"?',
      "modelswitch.config.yaml: environments.production.models.fraud.idleReplicas: -1 is too small; it must be at least 0",
      'modelswitch.config.production.yaml: deadlines.ready: "soon" must be a number',
    ]);
  });

  test("an overlay for a model that is none", () => {
    expect(lines(put(project(), "fraud", "production", { models: { frad: {} } }).problems)).toEqual([
      'modelswitch.config.production.yaml: models.frad: is none of the models fraud, churn; did you mean "fraud"?',
    ]);
  });
});

describe("environment variables in JSON and YAML", () => {
  const withVariables = project({
    defaults: {
      server: "mlserver",
      release: {
        replicas: "${env:REPLICAS:-2}",
        image: "registry/x:${env:TAG}",
        env: { N: "${env:REPLICAS:-2}" },
      },
    },
    models: { fraud: { ingress: { host: "a.b" } } },
    environments: undefined,
  });

  test("give texts, and numbers where the key takes one", () => {
    expect(put(withVariables, "fraud", undefined, undefined, { TAG: "7", REPLICAS: "3" })).toMatchObject({
      problems: [],
      input: { release: { replicas: 3, image: "registry/x:7", env: { N: "3" } } },
    });
  });

  test("that are not set are one mistake each, where they stand", () => {
    expect(lines(put(withVariables, "fraud", undefined).problems)).toEqual([
      "modelswitch.config.yaml: defaults.release.image: needs the environment variable TAG, which is not set; set it, or write ${env:TAG:-default}",
    ]);
  });

  test("with a wrong value are a mistake of the key", () => {
    const { problems } = put(withVariables, "fraud", undefined, undefined, { TAG: "1", REPLICAS: "many" });
    expect(lines(problems)).toEqual([
      'modelswitch.config.yaml: defaults.release.replicas: "many" must be a number',
    ]);
  });

  test("are never shown where they sound like secrets", () => {
    const secret = project({
      models: {
        fraud: model("fraud", { previewHeader: "${env:API_TOKEN}", ingress: { host: "${env:DB_PASSWORD}" } }),
      },
      environments: undefined,
    });
    const env = { API_TOKEN: "hush hush", DB_PASSWORD: "https://hush" };
    const { problems, secrets } = put(secret, "fraud", undefined, undefined, env);
    expect(lines(problems)).toEqual([
      "modelswitch.config.yaml: models.fraud.ingress.host: [hidden], from DB_PASSWORD, is not what this key takes",
      "modelswitch.config.yaml: models.fraud.previewHeader: [hidden], from API_TOKEN, is not what this key takes",
    ]);
    expect(JSON.stringify(problems)).not.toContain("hush");
    expect([...secrets].sort()).toEqual(["https://hush", "hush hush"].sort());
  });

  test("are left alone in programs, which read their environment themselves", () => {
    const program = { ...withVariables, file: "/models/modelswitch.config.ts" };
    expect(put(program, "fraud", undefined).input).toMatchObject({
      release: { image: "registry/x:${env:TAG}" },
    });
  });
});

describe("mistakes of the file as such", () => {
  test.each<[string, unknown, string]>([
    ["no object", "fraud", 'the configuration: must be an object, but is "fraud"'],
    ["no models", { models: {} }, "models: is empty; its keys are the models, for example { fraud: { … } }"],
    [
      "models that are a list",
      { models: [] },
      "models: [] must be an object; its keys are the models, for example { fraud: { … } }",
    ],
    [
      "a name that is none",
      { models: { Fraud_1: {} } },
      'models.Fraud_1: is no name of a model: lower-case letters, digits and -, at most 52 characters, first a letter; did you mean "fraud-1"?',
    ],
    [
      "a name twice",
      { models: { fraud: { name: "x" } } },
      "models.fraud.name: is not needed: the key of a model is its name",
    ],
    [
      "a name beside models",
      { name: "fraud", models: { fraud: {} } },
      'name: is given, and "models" too; in this form the key of a model is its name',
    ],
    [
      "a model's key at the top",
      { models: { fraud: {} }, namespace: "ml" },
      'namespace: belongs to a model; move it to "defaults.namespace" (for all of them) or "models.NAME.namespace"',
    ],
    [
      "a mistyped key at the top",
      { models: { fraud: {} }, enviroments: {} },
      'enviroments: is an unknown key; did you mean "environments"?',
    ],
    [
      "defaults without models",
      { name: "fraud", defaults: {} },
      'defaults: needs "models", which share it; a single model has its keys at the top of the file',
    ],
    [
      "an environment with a bad name",
      { name: "fraud", environments: { "Prod EU": {} } },
      'environments["Prod EU"]: is no name of an environment: lower-case letters, digits and -, at most 40 characters, first a letter; did you mean "prod-eu"?',
    ],
    [
      "an environment that is a text",
      { name: "fraud", environments: { production: "ml" } },
      'environments.production: "ml" must be an object',
    ],
    [
      "an unknown model in an environment",
      { models: { fraud: {} }, environments: { production: { models: { frad: {} } } } },
      'environments.production.models.frad: is none of the models fraud; did you mean "fraud"?',
    ],
    [
      "models in an environment of a single model",
      { name: "fraud", environments: { production: { models: {} } } },
      "environments.production.models: is for files with several models; here write its keys directly",
    ],
    [
      "another name in an environment",
      { name: "fraud", environments: { production: { name: "fraud2" } } },
      "environments.production.name: belongs to the model and is the same everywhere; give environments that share a cluster a namespace each",
    ],
    [
      "a default environment that is none",
      { name: "fraud", environments: { production: {} }, defaultEnvironment: "prodction" },
      'defaultEnvironment: "prodction" is none of production; did you mean "production"?',
    ],
    [
      "a default environment without environments",
      { name: "fraud", defaultEnvironment: "production" },
      'defaultEnvironment: "production" is not declared; add environments: { "production": {} }',
    ],
    [
      "a version in words",
      { name: "fraud", configVersion: "one" },
      'configVersion: "one" is no version of the configuration; write 1',
    ],
  ])("%s", (_what, input, expected) => {
    expect(fileLines(input)).toEqual([expected]);
  });

  test("a mistyped form is found from a single model, too", () => {
    const one = projectOf({ modles: { fraud: {} } }, file);
    expect(lines(put(one, "", undefined).problems)).toContain(
      'modelswitch.config.yaml: modles: is an unknown key; did you mean "models"?',
    );
  });
});

describe("the choice", () => {
  const flag = (name: string, option: string) => ({ name, from: `--${option}` });
  const several = project();
  const single = projectOf({ name: "fraud", ...model("fraud") }, file);
  const withDefault = project({ defaultEnvironment: "staging" });

  test.each<[string, Choice, { model: string; environment: string | undefined }]>([
    ["the only model", {}, { model: "fraud", environment: undefined }],
    ["the only model, named", { model: flag("fraud", "model") }, { model: "fraud", environment: undefined }],
  ])("%s", (_what, choice, expected) => {
    expect(chooseTarget(single, choice)).toEqual(expected);
  });

  test("the default environment, unless another is named", () => {
    const choice = { model: flag("churn", "model") };
    expect(chooseTarget(withDefault, choice).environment).toBe("staging");
    const named = { ...choice, environment: { name: "production", from: "MODELSWITCH_ENVIRONMENT" } };
    expect(chooseTarget(withDefault, named).environment).toBe("production");
  });

  test("the only environment", () => {
    const one = project({ environments: { production: {} } });
    expect(chooseTarget(one, { model: flag("churn", "model") }).environment).toBe("production");
  });

  test.each<[string, ReturnType<typeof project>, Choice, string, string]>([
    [
      "no model of several",
      withDefault,
      {},
      "model-ambiguous",
      "has 2 models, and none is named: fraud, churn.",
    ],
    [
      "no environment of several",
      several,
      { model: flag("fraud", "model") },
      "environment-ambiguous",
      "has 2 environments, and none is named: staging, production.",
    ],
    [
      "a mistyped model",
      withDefault,
      { model: flag("frud", "model") },
      "model-unknown",
      `--model is "frud", but ${file} has no model "frud"; did you mean "fraud"?`,
    ],
    [
      "a mistyped environment",
      withDefault,
      { model: flag("fraud", "model"), environment: { name: "prod", from: "MODELSWITCH_ENVIRONMENT" } },
      "environment-unknown",
      `MODELSWITCH_ENVIRONMENT is "prod", but ${file} has no environment "prod"; did you mean "production"?`,
    ],
    [
      "an environment where there are none",
      single,
      { environment: flag("production", "environment") },
      "environment-unknown",
      `--environment is "production", but ${file} declares no environments.`,
    ],
  ])("%s is refused", (_what, of, choice, code, message) => {
    expect(() => chooseTarget(of, choice)).toThrow(
      expect.objectContaining({ code, exitCode: 2, message: expect.stringContaining(message) }),
    );
  });

  test("queries are about all models of the environment, or about everything", () => {
    expect(chooseTargets(withDefault, {}, false)).toEqual([
      { model: "fraud", environment: "staging" },
      { model: "churn", environment: "staging" },
    ]);
    expect(chooseTargets(several, {}, true)).toHaveLength(4);
    expect(chooseTargets(several, { model: flag("churn", "model") }, true)).toHaveLength(2);
    expect(() => chooseTargets(several, {}, false)).toThrow(/none is named: staging, production/);
  });
});
