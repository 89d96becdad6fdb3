import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelswitch, repository } from "./cli-process.ts";
import { testImages } from "./test-cluster.ts";

let folder = "";
let readme = "";

beforeAll(async () => {
  readme = await readFile(join(repository, "README.md"), "utf8");
  folder = await mkdtemp(join(tmpdir(), "modelswitch-readme-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function block(language: string, containing: string): string {
  const found = [...readme.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))]
    .map((match) => match[1] ?? "")
    .find((text) => text.includes(containing));
  if (found === undefined) throw new Error(`The README has no ${language} block with ${containing}.`);
  return found;
}

test("the README's configuration and commands work, in its order", { timeout: 600_000 }, async () => {
  // Only the images are others: those of the README are placeholders.
  const config = block("ts", "defineConfig")
    .replaceAll("registry.example.com/fraud:1.4", testImages.blue)
    .replaceAll("registry.example.com/fraud:1.5", testImages.green);
  expect(config).toContain(testImages.green);
  await writeFile(join(folder, "modelswitch.config.ts"), config);
  const commands = block("sh", "modelswitch plan")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/).slice(2));
  expect(commands.map((words) => words[0])).toEqual([
    "doctor",
    "plan",
    "up",
    "status",
    "switch",
    "switch",
    "destroy",
  ]);

  const said: string[] = [];
  for (const words of commands) {
    // A destroy asks; there is nobody to answer here.
    const args = words[0] === "destroy" ? [...words, "--yes"] : words;
    const result = await modelswitch(args, {
      cwd: folder,
      env: { KUBECONFIG: process.env.MODELSWITCH_TEST_KUBECONFIG, PULUMI_BACKEND_URL: undefined },
    });
    said.push(result.stdout);
    // The README's host is an example domain that points nowhere, which is what doctor is there to say.
    if (words[0] === "doctor") expect(`${result.stdout}${result.stderr}`).toContain("mlmodels.example.com");
    else expect(result.exitCode, `${args.join(" ")}\n${result.stdout}\n${result.stderr}`).toBe(0);
  }
  expect(said[4]).toContain("from blue to green");
  expect(said[5]).toContain("from green to blue");
});
