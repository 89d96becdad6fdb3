import { describe, expect, test } from "vitest";
import { configVersion, upgradeConfig } from "./version.ts";

const file = "/models/modelswitch.config.yaml";

describe("files of another version", () => {
  test("the current shape stays as it is, with and without its version", () => {
    for (const input of [{ name: "fraud" }, { name: "fraud", configVersion }, "nonsense"]) {
      expect(upgradeConfig(input, file)).toEqual({ value: input, warnings: [] });
    }
  });

  test("a newer one is refused, with both versions", () => {
    expect(() => upgradeConfig({ configVersion: 7 }, file)).toThrow(
      expect.objectContaining({
        code: "config-version",
        exitCode: 2,
        message: `${file}: configVersion: 7 was written for a newer modelswitch; this one reads versions up to 1.`,
      }),
    );
  });

  test.each([[{}], [{ configVersion: 0 }]])("old names are read as the new ones, and said: %j", (version) => {
    const { value, warnings } = upgradeConfig(
      { ...version, active: "green", ingress: { class: "traefik", host: "a.b" } },
      file,
    );
    expect(value).toEqual({
      configVersion: 1,
      live: "green",
      ingress: { className: "traefik", host: "a.b" },
    });
    expect(warnings).toEqual([
      {
        code: "config-outdated",
        message: `${file} has the shape of an older modelswitch: ingress.class is now ingress.className; active is now live. It was read as that.`,
        hint: "Rename them, and set configVersion: 1.",
      },
    ]);
  });

  test("wherever a model is described", () => {
    const part = { ingress: { class: "traefik" } };
    const now = { ingress: { className: "traefik" } };
    const { value, warnings } = upgradeConfig(
      { defaults: part, models: { fraud: part }, environments: { p: { ...part, models: { fraud: part } } } },
      file,
    );
    expect(value).toEqual({
      configVersion: 1,
      defaults: now,
      models: { fraud: now },
      environments: { p: { ...now, models: { fraud: now } } },
    });
    expect(warnings[0]?.message).toContain(
      "environments.p.models.fraud.ingress.class is now environments.p.models.fraud.ingress.className",
    );
  });

  test("both names at once, and an old name in a new file, are left to the validation", () => {
    for (const input of [
      { active: "blue", live: "green" },
      { configVersion: 1, active: "blue" },
    ]) {
      expect(upgradeConfig(input, file).value).toEqual(input);
    }
  });
});
