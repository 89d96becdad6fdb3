import { expect, test } from "vitest";
import { withSettings } from "./release-settings.ts";

const template = { image: "fraud:1", replicas: 2, env: { THRESHOLD: "0.5" } };
const set = (...settings: string[]) =>
  withSettings(template, settings, { file: "modelswitch.config.ts", server: {} });

test("without settings it is the template", async () => {
  expect(await set()).toBe(template);
});

test("a mark is for servers without HTTP only", async () => {
  const about = { file: "modelswitch.config.ts", server: { http: false } } as const;
  expect(await withSettings({ ...template, mark: "1" }, ["mark=2"], about)).toMatchObject({ mark: "2" });
  await expect(set("mark=2")).rejects.toThrow("release.mark: is only for model servers without HTTP");
});

test("texts stay texts, numbers and lists are JSON, dots lead inwards", async () => {
  expect(await set("image=fraud:2", "replicas=4", "env.THRESHOLD=0.7", 'args=["--fast"]')).toEqual({
    image: "fraud:2",
    replicas: 4,
    env: { THRESHOLD: "0.7" },
    args: ["--fast"],
  });
  // What the warning about pods that stay advises.
  expect(await set("pod.annotations.again=1")).toMatchObject({ pod: { annotations: { again: "1" } } });
  expect(await set("env.EQUATION=a=b")).toMatchObject({ env: { THRESHOLD: "0.5", EQUATION: "a=b" } });
});

test.each([
  ["image", "--set image: write KEY=VALUE"],
  ["imgae=fraud:2", 'did you mean "release.image"'],
  ["replicas=many", 'release.replicas: "many" must be a number'],
])("%s is refused, with what is meant", async (setting, message) => {
  await expect(set(setting)).rejects.toMatchObject({ code: "set-invalid", exitCode: 2 });
  await expect(set(setting)).rejects.toThrow(message);
});
