import { backendPort, serviceFields } from "../../component/service-port.ts";
import type { Fields } from "../../core/fields.ts";
import type { ModelServer } from "../../core/model.ts";
import type { ServiceSettings } from "../../core/release-contents.ts";
import { keptMetadata, unsaidMetadata } from "../record/bookkeeping.ts";
import type { Discovered } from "./discovered.ts";
import { backendProtocol } from "./found-server.ts";
import type { FoundService } from "./inventory.ts";
import { missing, saysNothing } from "./missing-fields.ts";

/** Fields of a Service that another one of its kind has to have, too: the others are its address, or are said elsewhere. */
const shared = [
  ...["sessionAffinity", "sessionAffinityConfig", "internalTrafficPolicy", "publishNotReadyAddresses"],
  ...["trafficDistribution", "ipFamilyPolicy"],
];

/** What these fields say where nothing was said. */
const usual: Readonly<Record<string, unknown>> = {
  sessionAffinity: "None",
  internalTrafficPolicy: "Cluster",
  publishNotReadyAddresses: false,
  ipFamilyPolicy: "SingleStack",
};

/** Only one Service can be called by that name, or fill that group of endpoints. */
const ofOneService = (key: string, value: string) =>
  key.startsWith("external-dns.alpha.kubernetes.io/") ||
  (key === "cloud.google.com/neg" && /name/.test(value));

/** What green's Service has to have in common with the one that was found. Pure. */
export function describeService(found: Discovered, server: ModelServer): ServiceSettings | undefined {
  const { labels, annotations } = sharedMetadata(found.service);
  const fields = sharedFields(found.service);
  const ports = portsOf(found.service);
  const own = [backendPort(backendProtocol(found.ingress), found.servicePort, server)];
  const kubernetes = {
    ...fields,
    ...(missing(numbered(ports, found), numbered(own, found), "ports").length === 0 ? {} : { ports }),
  };
  const settings = {
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    ...(Object.keys(kubernetes).length === 0 ? {} : { kubernetes }),
  };
  return Object.keys(settings).length === 0 ? undefined : settings;
}

/** What of the found Service green's would be without. Pure. */
export function lostOfService(
  found: Discovered,
  settings: ServiceSettings | undefined,
  server: ModelServer,
): string[] {
  const written: Fields = {
    ports: [backendPort(backendProtocol(found.ingress), found.servicePort, server)],
    ...serviceFields(settings),
  };
  return [
    ...unsaidMetadata("service", sharedMetadata(found.service), settings),
    ...Object.entries(sharedFields(found.service)).flatMap(([field, value]) =>
      missing(value, written[field], `service.${field}`),
    ),
    ...missing(
      numbered(portsOf(found.service), found),
      numbered(written.ports as readonly Fields[], found),
      "service.ports",
    ),
  ];
}

/** Why clients of the Service itself, from outside the cluster, stay on the pods that were found. Pure. */
export function ownAddress({ metadata, spec }: FoundService): string | undefined {
  const type = spec?.type;
  if (type !== "NodePort" && type !== "LoadBalancer") return undefined;
  return `the Service ${metadata?.name} is of type ${type}: it keeps that address, whose clients reach blue also after a switch to green; green's Service has none`;
}

function sharedMetadata(service: FoundService): ReturnType<typeof keptMetadata> {
  const { labels, annotations } = keptMetadata(service);
  return {
    labels,
    annotations: Object.fromEntries(
      Object.entries(annotations).filter(([key, value]) => !ofOneService(key, value)),
    ),
  };
}

function sharedFields({ spec }: FoundService): Fields {
  const found = (spec ?? {}) as Fields;
  return Object.fromEntries(
    shared.flatMap((field) =>
      found[field] === usual[field] || saysNothing(field, found[field]) ? [] : [[field, found[field]]],
    ),
  );
}

/** Without the ports of the nodes, of which each belongs to one Service. */
function portsOf({ spec }: FoundService): Fields[] {
  return (spec?.ports ?? []).map((port) => {
    const { nodePort: _nodePort, ...rest } = port as Fields;
    return rest;
  });
}

/** A port may be meant by its name or its number. */
function numbered(ports: readonly object[], { container }: Discovered): Fields[] {
  return (ports as readonly Fields[]).map((port) => {
    const target = port.targetPort ?? port.port;
    const named = (container.ports ?? []).find(({ name }) => name === target)?.containerPort;
    return { ...port, targetPort: named ?? target };
  });
}
