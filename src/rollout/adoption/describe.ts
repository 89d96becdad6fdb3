import { classAnnotation } from "../../component/routers/main-ingress.ts";
import type { ReleaseTemplate, SlotOnly } from "../../config/types.ts";
import type { IngressPlace, IngressSpec, RouterName } from "../../core/model.ts";
import { toolAnnotation } from "./adoption.ts";
import { autoscalingOf } from "./autoscaler.ts";
import type { Discovered } from "./discover.ts";
import { backendProtocol, type DescribedServer, describeServer, protocolAnnotation } from "./found-server.ts";
import type { FoundContainer, FoundPath } from "./inventory.ts";

/** What runs, in the words of the configuration file. */
export interface Described {
  readonly server: DescribedServer;
  /** What the pods run, and how many there are. */
  readonly release: ReleaseTemplate;
  /** The names of what was found, and what selects its pods. */
  readonly blue: SlotOnly;
  /** What selects the other slot's pods. */
  readonly green: SlotOnly;
  readonly ingress: IngressSpec & { readonly name: string };
  readonly servicePort: number;
  readonly router: RouterName;
  /** What the pods have and the configuration does not say: they keep it, later releases would be without. */
  readonly unsaid: readonly string[];
}

/** Notes of kubectl and Pulumi, which they write anew. */
const bookkeeping = /^(kubectl\.kubernetes\.io|pulumi\.com)\//;

export function describeFound(found: Discovered): Described {
  const { autoscaler, container, deployment, ingress, service, path } = found;
  const names = {
    deployment: deployment.metadata?.name ?? "",
    service: service.metadata?.name ?? "",
    ...(autoscaler === undefined ? {} : { autoscaler: autoscaler.metadata?.name ?? "" }),
  };
  const annotations = Object.fromEntries(
    Object.entries(ingress.metadata?.annotations ?? {}).filter(
      ([key]) => !bookkeeping.test(key) && !toolAnnotation.test(key) && key !== classAnnotation,
    ),
  );
  // Said as an option, the pods' probes and identities use TLS, too.
  const protocol = backendProtocol(ingress);
  if (protocol !== "http") delete annotations[protocolAnnotation];
  const server = describeServer(container, found.httpPort, protocol);
  const tls = (ingress.spec?.tls ?? []).flatMap(({ hosts, secretName }) =>
    secretName === undefined
      ? []
      : [{ ...(hosts === undefined || hosts.length === 0 ? {} : { hosts }), secretName }],
  );
  return {
    server,
    release: {
      ...whatRuns(container),
      ...(server.http ? {} : { mark: tagOf(container.image ?? "") }),
      ...(autoscaler === undefined
        ? { replicas: deployment.spec?.replicas ?? 1 }
        : { autoscaling: autoscalingOf(autoscaler) }),
    },
    blue: { ...names, selector: found.selector },
    green: { selector: found.otherSelector },
    ingress: {
      name: ingress.metadata?.name ?? "",
      ...(found.classAnnotation ? { classAnnotation: true } : {}),
      host: found.host,
      ...(found.className === "nginx" ? {} : { className: found.className }),
      ...pathOf(path),
      ...(found.also.length === 0
        ? {}
        : { also: found.also.map((place) => ({ host: place.host, ...pathOf(place.path) })) }),
      ...(tls.length === 0 ? {} : { tls }),
      ...(protocol === "http" ? {} : { protocol }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    servicePort: found.servicePort,
    router: found.canaries ? "nginx" : "plain",
    unsaid: unsaid(found, server),
  };
}

function pathOf({ path, pathType }: FoundPath): Pick<IngressPlace, "path" | "pathType"> {
  return {
    ...(path === undefined || path === "/" ? {} : { path }),
    ...(isPathType(pathType) && pathType !== "Prefix" ? { pathType } : {}),
  };
}

function isPathType(type: string | undefined): type is NonNullable<IngressSpec["pathType"]> {
  return type === "Prefix" || type === "Exact" || type === "ImplementationSpecific";
}

/** A first guess at what the answers of a release have: `adopt` looks whether it is true. */
function tagOf(image: string): string {
  return /:([^/:]+)$/.exec(image.split("@")[0] ?? "")?.[1] ?? "1";
}

function whatRuns(container: FoundContainer): ReleaseTemplate {
  const env = Object.fromEntries(
    (container.env ?? []).flatMap(({ name, value, valueFrom }) =>
      valueFrom === undefined ? [[name, value ?? ""]] : [],
    ),
  );
  const { requests = {}, limits = {} } = container.resources ?? {};
  const policy = container.imagePullPolicy;
  return {
    image: container.image ?? "",
    ...(Object.keys(env).length === 0 ? {} : { env }),
    ...(Object.keys(requests).length + Object.keys(limits).length === 0
      ? {}
      : {
          resources: {
            ...(Object.keys(requests).length === 0 ? {} : { requests }),
            ...(Object.keys(limits).length === 0 ? {} : { limits }),
          },
        }),
    ...(policy === "Always" || policy === "Never" ? { imagePullPolicy: policy } : {}),
    ...(container.args === undefined || container.args.length === 0 ? {} : { args: container.args }),
  };
}

/** Defaults of the API server, which say nothing. */
const defaults: Readonly<Record<string, string>> = {
  dnsPolicy: '"ClusterFirst"',
  restartPolicy: '"Always"',
  schedulerName: '"default-scheduler"',
  serviceAccount: '"default"',
  serviceAccountName: '"default"',
  securityContext: "{}",
  terminationGracePeriodSeconds: "30",
};

const saidOfContainers = new Set([
  ...["name", "image", "imagePullPolicy", "args", "env", "resources", "ports", "readinessProbe"],
  ...["livenessProbe", "startupProbe", "terminationMessagePath", "terminationMessagePolicy"],
]);

function unsaid({ container, deployment }: Discovered, { http, port }: DescribedServer): string[] {
  const { containers = [], ...spec } = deployment.spec?.template?.spec ?? {};
  const found = Object.entries(spec)
    .filter(([key, value]) => value !== undefined && JSON.stringify(value) !== defaults[key])
    // The old name of the same field.
    .filter(([key]) => key !== "serviceAccount")
    .map(([key]) => key);
  for (const key of Object.keys(container))
    if (!saidOfContainers.has(key)) found.push(`the container's ${key}`);
  const fromElsewhere = (container.env ?? []).filter(({ valueFrom }) => valueFrom !== undefined);
  if (fromElsewhere.length > 0) {
    found.push(`env from elsewhere (${fromElsewhere.map(({ name }) => name).join(", ")})`);
  }
  const others = containers.filter((one) => one !== container).map(({ name }) => name);
  if (others.length > 0) found.push(`the containers ${others.join(", ")}`);
  for (const kind of ["readinessProbe", "livenessProbe"] as const) {
    const probe = container[kind];
    const asks = http ? probe?.httpGet : probe?.grpc;
    if (probe !== undefined && asks === undefined)
      found.push(`a ${kind} that is no ${http ? "HTTP" : "gRPC"} request`);
    if (!http && probe?.grpc !== undefined && probe.grpc.port !== port)
      found.push(`a ${kind} on port ${probe.grpc.port}`);
  }
  return found;
}
