import { afterEach, beforeEach, expect, test } from "vitest";
import { resultOf } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import { testImages } from "./test-cluster.ts";

/** A class that is not there is refused, and one that nobody serves is waited for as long as the configuration says. */

let project: ModelProject;
const classes = "/apis/networking.k8s.io/v1/ingressclasses";

const configure = (ingress: object, ready = 120) =>
  project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 1, imagePullPolicy: "Never" },
    ingress: { host: project.host, ...ingress },
    deadlines: { ready, proof: 30 },
  });

beforeEach(async () => {
  project = await ModelProject.create("class");
});

afterEach(async () => {
  await project.namespace.api.request({ method: "DELETE", path: `${classes}/${project.namespace.name}` });
  await project.remove();
});

async function lines(...args: string[]) {
  const { exitCode, stdout } = await project.command([...args, "--json"]);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly code?: string; readonly message?: string });
  const { error } = resultOf(stdout) as { error?: { code: string; message: string; hint: string } };
  return { exitCode, events, error };
}

test("that is not there is refused by `plan` and `up`, with those that are", async () => {
  await configure({ className: "ngnix" });
  for (const command of ["plan", "up"]) {
    const { exitCode, error } = await lines(command);
    expect(exitCode, command).toBe(2);
    expect(error).toMatchObject({
      code: "ingress-class-missing",
      message: expect.stringContaining("nginx"),
      hint: expect.stringContaining('ingress.className: "nginx"'),
    });
  }
  const { items } = await project.namespace.api.json<{ items: object[] }>({
    method: "GET",
    path: `/apis/apps/v1/namespaces/${project.namespace.name}/deployments`,
  });
  expect(items).toEqual([]);
});

test("that nobody serves is waited for until `deadlines.ready`; the next `up` goes on from there", async () => {
  const { name } = project.namespace;
  await project.namespace.api.json({
    method: "POST",
    path: classes,
    body: { metadata: { name }, spec: { controller: "example.com/nobody" } },
  });
  await configure({ className: name }, 40);
  const startedAt = Date.now();
  const { exitCode, events, error } = await lines("up");
  expect(Date.now() - startedAt).toBeLessThan(240_000);
  expect(exitCode).toBe(1);
  expect(error).toMatchObject({
    code: "ingress-without-address",
    message: expect.stringContaining(`the class ${name} belongs to the controller example.com/nobody`),
  });
  expect(events.filter(({ code }) => code === "ingress-without-address").length).toBeGreaterThan(0);

  await configure({});
  expect(await project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
});

test("that only an annotation names is said, and no failure", async () => {
  await configure({ className: "nginx", classAnnotation: true });
  const { exitCode } = await lines("up");
  expect(exitCode).toBe(0);
});
