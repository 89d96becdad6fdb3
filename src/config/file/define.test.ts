import { expect, test } from "vitest";
import { custom } from "../../component/servers/custom.ts";
import { defineConfig } from "./define.ts";

const ingress = { host: "a.b" };
const release = { image: "fraud:1" };

test("the form with one model is typed, with its environments", () => {
  const config = defineConfig({
    name: "fraud",
    release,
    ingress,
    environments: { staging: { namespace: "staging", release: { replicas: 1 } }, production: null },
    defaultEnvironment: "staging",
  });
  expect(config.defaultEnvironment).toBe("staging");
  const one = { name: "fraud", release, ingress } as const;
  // @ts-expect-error: there is no such environment
  defineConfig({ ...one, environments: { staging: {} }, defaultEnvironment: "prod" });
  // @ts-expect-error: replicas are a number
  defineConfig({ ...one, environments: { staging: { release: { replicas: "1" } } } });
  // @ts-expect-error: a model needs an ingress
  defineConfig({ name: "fraud", release });
});

test("the form with several models is typed, with its environments", () => {
  const config = defineConfig({
    defaults: { namespace: "ml", server: custom({ port: 9000 }), ingress: { className: "traefik" } },
    models: {
      fraud: { release, ingress },
      churn: { slots: { blue: { image: "churn:1" }, green: { image: "churn:2" } }, ingress, namespace: null },
    },
    environments: {
      staging: { context: "staging", models: { fraud: { release: { replicas: 1 } } } },
      production: { context: process.env.NOT_SET, server: null },
    },
    defaultEnvironment: "production",
  });
  expect(Object.keys(config.models)).toEqual(["fraud", "churn"]);
  // @ts-expect-error: there is no such model
  defineConfig({ models: { fraud: { release } }, environments: { staging: { models: { frad: {} } } } });
  // @ts-expect-error: there is no such key
  defineConfig({ models: { fraud: { release, routr: "nginx" } } });
});
