/**
 * Runs one operation on a stack in a process of its own, so that a test can kill it. Prints events and the result as JSON
 * lines. Arguments: folder, namespace, kubeconfig, ready or waiting (pods become ready, or never); SIGINT aborts, as in the command line.
 */
import * as kubernetes from "@pulumi/kubernetes";
import { UserError } from "../../src/core/errors.ts";
import { openStack } from "../../src/engine/open.ts";
import { testImages } from "./test-cluster.ts";

const [folder = "", namespace = "", path = "", wish = ""] = process.argv.slice(2);
const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());

const stack = await openStack({
  project: "engine",
  stack: "dev",
  folder,
  secrets: { kind: "passphrase", passphrase: "only for tests" },
  kubeconfig: { path },
  events: print,
  signal: stop.signal,
  program: async () => {
    const labels = { app: namespace };
    const spec = {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "model",
              image: testImages.blue,
              imagePullPolicy: "Never",
              readinessProbe: {
                httpGet: { path: wish === "ready" ? "/v2/health/ready" : "/nowhere", port: 8080 },
              },
            },
          ],
        },
      },
    };
    const named = new kubernetes.apps.v1.Deployment("named", {
      metadata: { namespace, name: "named" },
      spec,
    });
    const generated = new kubernetes.apps.v1.Deployment("generated", { metadata: { namespace }, spec });
    return { named: named.metadata.name, generated: generated.metadata.name };
  },
});

try {
  print({ type: "result", ...(await stack.up()) });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  print({ type: "error", code: error.code, exitCode: error.exitCode, message: error.message });
  process.exitCode = error.exitCode;
}
// The program that was stopped waits for ever for resources that nobody makes.
process.exit();
