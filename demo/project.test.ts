import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readConfig } from "../src/config/file/read.ts";
import { type DemoOptions, parseOptions } from "./options.ts";
import { fastFlavour, mlserverFlavour, projectIn, writeProject } from "./project.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "modelswitch-demo-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test.each([fastFlavour, mlserverFlavour])("writes a valid project for $kind", async (flavour) => {
  const project = projectIn(root, flavour);
  await writeProject(project, flavour, "/some/kubeconfig");
  const { config } = await readConfig({ folder: project.folder, configPath: undefined });
  expect(config).toMatchObject({
    name: flavour.model,
    kubeconfig: "/some/kubeconfig",
    ingress: { host: flavour.host },
    slots: { blue: { image: flavour.image.blue, replicas: 2 }, green: { image: flavour.image.green } },
  });
  const body = JSON.parse(flavour.body(7));
  expect(body.inputs[0].data.length).toBe(body.inputs[0].shape[1]);
});

test("both demos can be in one cluster", () => {
  expect(fastFlavour.model).not.toBe(mlserverFlavour.model);
  expect(fastFlavour.host).not.toBe(mlserverFlavour.host);
  expect(projectIn(root, fastFlavour).folder).not.toBe(projectIn(root, mlserverFlavour).folder);
});

test("options", () => {
  const defaults: DemoOptions = {
    fast: false,
    cluster: "demo",
    folder: undefined,
    json: false,
    steadySeconds: 5,
    ratePerSecond: undefined,
  };
  expect(parseOptions([])).toEqual(defaults);
  expect(parseOptions(["--fast", "--cluster", "x", "--rate=50", "--json"])).toEqual({
    ...defaults,
    fast: true,
    cluster: "x",
    ratePerSecond: 50,
    json: true,
  });
  expect(parseOptions(["-h"])).toBe("help");
});

test.each([["--slow"], ["--rate", "many"], ["--rate", ""], ["--steady", "0"], ["word"]])(
  "refuses %s %s",
  (...words) => {
    expect(() => parseOptions(words.filter((word) => word !== undefined))).toThrowError(
      expect.objectContaining({ code: "demo-usage", exitCode: 2 }),
    );
  },
);
