import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ModelswitchConfig } from "../model/types.ts";
import { withConfigFiles } from "./config-files.ts";

let folder: string;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-files-"));
  file = join(folder, "modelswitch.config.yaml");
  await writeFile(join(folder, "limits.json"), '{"limit":1}');
  await writeFile(join(folder, "binary"), Buffer.from([0xff, 0xfe, 0x00]));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

const config = (configFiles: Record<string, string | { file: string }>): ModelswitchConfig => ({
  name: "fraud",
  release: { image: "a", configFiles },
  ingress: { host: "h.example.com" },
});

describe("config files beside the configuration", () => {
  test("are read, others stay as they are", async () => {
    const read = await withConfigFiles(config({ "/a": { file: "limits.json" }, "/b": "text" }), file);
    expect(read.release?.configFiles).toEqual({ "/a": '{"limit":1}', "/b": "text" });
    const { release, ...rest } = config({ "/a": { file: "./limits.json" } });
    const slots = { blue: release ?? {}, green: {} };
    const ofSlots = await withConfigFiles({ ...rest, slots }, file);
    expect(ofSlots.slots).toEqual({
      blue: { image: "a", configFiles: { "/a": '{"limit":1}' } },
      green: {},
    });
    expect(ofSlots).not.toHaveProperty("release");
  });

  test("one that cannot be read is named with its place", async () => {
    await expect(withConfigFiles(config({ "/a": { file: "none.json" } }), file)).rejects.toMatchObject({
      code: "config-file-unreadable",
      message: expect.stringMatching(/release\.configFiles\["\/a"\]: .*none\.json cannot be read/),
    });
    await expect(withConfigFiles(config({ "/a": { file: "binary" } }), file)).rejects.toMatchObject({
      message: expect.stringContaining("is not UTF-8 text"),
    });
  });

  test("too large ones are refused", async () => {
    await writeFile(join(folder, "large"), "x".repeat(300 * 1024));
    await expect(withConfigFiles(config({ "/a": { file: "large" } }), file)).rejects.toMatchObject({
      code: "config-invalid",
      message: expect.stringContaining("300 KiB"),
    });
  });
});
