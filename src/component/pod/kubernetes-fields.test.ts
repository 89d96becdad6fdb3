import { expect, test } from "vitest";
import { deploymentSpec } from "../deployment.ts";
import { custom } from "../servers/custom.ts";

const server = custom({ port: 9000, livenessPath: "/live" });
const spec = (kubernetes?: object) =>
  deploymentSpec(
    "fraud",
    { app: "fraud" },
    { image: "f:1", env: { A: "1" }, ...(kubernetes && { kubernetes }) },
    server,
  );

test("fields that Kubernetes knows replace what is written in their place, and nothing else", () => {
  const lifecycle = { preStop: { exec: { command: ["drain"] } } };
  const changed = spec({
    deployment: { minReadySeconds: 10 },
    pod: { hostNetwork: true, enableServiceLinks: true },
    container: { lifecycle, env: [{ name: "IP", valueFrom: {} }] },
  });
  expect(changed).toMatchObject({
    minReadySeconds: 10,
    strategy: { type: "RollingUpdate" },
    template: {
      spec: {
        hostNetwork: true,
        enableServiceLinks: true,
        containers: [
          {
            name: "model",
            lifecycle,
            env: [
              { name: "IP", valueFrom: {} },
              { name: "A", value: "1" },
            ],
          },
        ],
      },
    },
  });
  expect(spec({})).toEqual(spec());
});

test("probes find their port where it has another name", () => {
  const ports = [{ name: "web", containerPort: 9000 }];
  const mine = { tcpSocket: { port: "web" } };
  expect(spec({ container: { ports, livenessProbe: mine } })).toMatchObject({
    template: {
      spec: {
        containers: [
          {
            ports,
            readinessProbe: { httpGet: { port: 9000 } },
            livenessProbe: mine,
            startupProbe: { httpGet: { port: 9000 } },
          },
        ],
      },
    },
  });
});
