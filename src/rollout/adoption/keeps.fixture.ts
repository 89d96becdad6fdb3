import { changed } from "../../../test/support/found.ts";
import { testConfig } from "../../../test/support/rollout-bench.ts";
import { lostByConfig } from "./compare.ts";
import { type Described, describeFound } from "./describe.ts";
import { discover } from "./discover.ts";
import type { Discovered } from "./discovered.ts";
import { serverAsFound } from "./found-server.ts";
import type { Inventory } from "./inventory.ts";
import { nextDeployment } from "./losses.ts";

export const pod = "deployments.0.spec.template.spec";

export const container = `${pod}.containers.0`;

export interface Next {
  readonly template: {
    readonly metadata: object;
    readonly spec: { readonly containers: readonly Readonly<Record<string, unknown>>[] };
  };
}

/** What runs, how it is described, and the Deployment of the next release. */
export function adopted(inventory: Inventory) {
  const found = discover("fraud", "fraud", inventory);
  const described = describeFound(found, "fraud");
  const server = serverAsFound(described.server, "fraud");
  return {
    found,
    described,
    next: nextDeployment("fraud", found, described.release, server) as unknown as Next,
  };
}

/** As `init --from` writes it. */
export function configOf({
  server,
  release,
  blue,
  green,
  ingress,
  servicePort,
  service,
  router,
}: Described): object {
  return {
    name: "fraud",
    server: serverAsFound(server, "fraud"),
    release,
    slots: { blue, green },
    ingress,
    servicePort,
    ...(service === undefined ? {} : { service }),
    router,
  };
}

/** The same without what only carrying over would know: as somebody writes it who names the objects and no more. */
export function bare(found: Discovered, { blue, green, ingress, servicePort, server }: Described) {
  const release = { image: "reg.io/fraud:7", replicas: 2 };
  return lostByConfig(
    testConfig({
      server: serverAsFound(server, "fraud"),
      runs: { form: "template", release, idleReplicas: 0, slots: { blue, green } },
      ingress,
      servicePort,
    }),
    found,
  );
}

export const management = {
  httpGet: { path: "/health", port: 9001, scheme: "HTTP" },
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
};

/** Label names have dots and slashes, by which the path is cut. */
export function withValue(path: string, value: unknown): Inventory {
  const [before = "", label] = path.split(".azure~");
  if (label === undefined) return changed(path, value);
  return changed(before, { app: "fraud", tier: "ml", [`azure.${label}`]: value });
}
