import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { attachedProvider, projectFolders, readSettings, settingsFile, writeSettings } from "./workspace.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-workspace-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const foldersFor = (backendUrl?: string) => projectFolders({ folder, project: "fraud", backendUrl });

describe("the state is in the folder that is named", () => {
  const awkward = [
    "models #1",
    "100% sure",
    "a%20b",
    'it\'s "x"',
    "what?",
    "ünï 模型",
    "a+b&c;d",
    "x".repeat(200),
  ];

  test.each(awkward)("of a project in %j, which the CLI is told as a URL", (name) => {
    const { backendUrl, stateFolder } = projectFolders({ folder: join(folder, name), project: "fraud" });
    expect(stateFolder).toBe(join(folder, name, ".modelswitch", "state"));
    expect(fileURLToPath(backendUrl)).toBe(stateFolder);
  });

  test.each([
    ["file:///srv/state", "/srv/state", "file:///srv/state"],
    ["file:///srv/my%20state?no_tmp_dir=true", "/srv/my state", "file:///srv/my%20state?no_tmp_dir=true"],
    ["file:///srv/models #1", "/srv/models #1", "file:///srv/models%20%231"],
    ["file:///srv/100% sure", "/srv/100% sure", "file:///srv/100%25%20sure"],
    ["file://./state", "/project/state", "file:///project/state"],
    ["file://../state", "/state", "file:///state"],
  ])("a backend written as %s", (url, stateFolder, backendUrl) => {
    expect(projectFolders({ folder: "/project", project: "fraud", backendUrl: url })).toMatchObject({
      stateFolder,
      backendUrl,
    });
  });
});

describe("the generated settings", () => {
  test("are beside the state by default", () => {
    const folders = foldersFor();
    expect(folders.workFolder).toBe(join(folder, ".modelswitch", "pulumi", "fraud"));
    expect(folders.stateFolder).toBe(join(folder, ".modelswitch", "state"));
    expect(foldersFor(folders.backendUrl).workFolder).toBe(folders.workFolder);
  });

  test("of another backend are others: a stack of the same name has another salt there", () => {
    const places = [undefined, "s3://models", "s3://others"].map((url) => foldersFor(url).workFolder);
    expect(new Set(places).size).toBe(3);
  });

  test("do not move when a password in the URL of the backend changes", () => {
    const [before, after] = ["old", "new"].map(
      (password) => foldersFor(`postgres://modelswitch:${password}@database/state`).workFolder,
    );
    expect(before).toBe(after);
    expect(before).not.toContain("old");
  });

  test("are read back as they were written, in a folder that git ignores", async () => {
    const folders = foldersFor(`file://${join(folder, "elsewhere")}`);
    const settings = { encryptionsalt: "v1:salt", config: { "fraud:live": "blue" } };
    await writeSettings({ folders, project: { name: "fraud" }, stack: "dev", settings });
    expect(await readSettings(settingsFile(folders, "dev"))).toEqual(settings);
    expect(await readFile(join(folder, ".modelswitch", ".gitignore"), "utf8")).toBe("*\n");
    expect(await readdir(folder)).toContain("elsewhere");
  });

  test("name a Kubernetes provider that the CLI would not find, unless the program names one", async () => {
    const folders = foldersFor();
    const write = (project: Readonly<Record<string, unknown>>, providerFolder?: string) =>
      writeSettings({
        folders,
        project: { ...project, name: "fraud" },
        stack: "dev",
        settings: {},
        providerFolder,
      });
    await write({ plugins: { providers: [{ name: "aws", path: "../aws" }] } }, "/cache/provider");
    expect(await attachedProvider(folders)).toBe("/cache/provider");
    // A version would be compared with the SDK's, and another one downloaded.
    expect(parse(await readFile(join(folders.workFolder, "Pulumi.yaml"), "utf8")).plugins.providers).toEqual([
      { name: "aws", path: "../aws" },
      { name: "kubernetes", path: "/cache/provider" },
    ]);
    await write({ plugins: { providers: [{ name: "kubernetes", path: "/own" }] } }, "/cache/provider");
    expect(await attachedProvider(folders)).toBe("/own");
    await write({});
    expect(await attachedProvider(folders)).toBeUndefined();
  });
});
