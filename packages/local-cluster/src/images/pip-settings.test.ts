import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  hostPipSettings,
  parsePipConfiguration,
  pipEnvironment,
  renderPipConfiguration,
  settingsForBuild,
} from "./pip-settings.ts";

test("reads pip's files as pip does", () => {
  const text = `
# comment
[global]
index_url = https://mirror.example.com/simple
extra-index-url =
    https://one.example.com/simple
    https://two.example.com/simple
timeout: 60
[install]
trusted-host = mirror.example.com
[freeze]
timeout = 10
`;
  expect(parsePipConfiguration(text)).toEqual({
    "index-url": "https://mirror.example.com/simple",
    "extra-index-url": "https://one.example.com/simple https://two.example.com/simple",
    timeout: "60",
    "trusted-host": "mirror.example.com",
  });
});

test("reads the environment", () => {
  expect(
    pipEnvironment({ PIP_INDEX_URL: "https://a", PIP_DEFAULT_TIMEOUT: "9", PATH: "/bin", PIP_X: "" }),
  ).toEqual({
    "index-url": "https://a",
    timeout: "9",
  });
});

test("keeps what a build can use: no folders of the host, nothing that changes where things are installed", () => {
  const settings = settingsForBuild(
    { "index-url": "https://a", user: "true", target: "/x", "find-links": "/opt/wheels" },
    { "index-url": "https://b", "find-links": "/opt/wheels https://links.example.com" },
  );
  expect(settings).toEqual({ "index-url": "https://b", "find-links": "https://links.example.com" });
  expect(renderPipConfiguration(settings)).toBe(
    "[global]\nindex-url = https://b\nfind-links = https://links.example.com\n",
  );
});

test("the environment wins over the user's file, and the null device switches files off", async () => {
  const home = await mkdtemp(join(tmpdir(), "modelswitch-pip-"));
  try {
    await mkdir(join(home, ".config", "pip"), { recursive: true });
    await writeFile(join(home, ".config", "pip", "pip.conf"), "[global]\nproxy = http://a\nretries = 7\n");
    const both = await hostPipSettings({ HOME: home, PIP_PROXY: "http://b" });
    expect(both).toMatchObject({ proxy: "http://b", retries: "7" });
    const off = await hostPipSettings({ HOME: home, PIP_CONFIG_FILE: "/dev/null" });
    expect(off).toEqual({});
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});
