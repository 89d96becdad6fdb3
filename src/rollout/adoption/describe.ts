import { canaryAnnotation, classAnnotation } from "../../component/routers/main-ingress.ts";
import type { ReleaseTemplate, SlotOnly } from "../../config/model/types.ts";
import type { IngressPlace, IngressSpec, ModelServer } from "../../core/model.ts";
import type { ServiceSettings } from "../../core/release-contents.ts";
import type { RouterName } from "../../core/router-names.ts";
import { isBookkeeping, toolAnnotation } from "../record/bookkeeping.ts";
import { autoscalingOf } from "./autoscaler.ts";
import { budgetOf } from "./budget.ts";
import { carryOver } from "./carried-template.ts";
import type { Discovered } from "./discovered.ts";
import {
  backendProtocol,
  type DescribedServer,
  describeServer,
  protocolAnnotation,
  serverAsFound,
} from "./found-server.ts";
import { describeService, lostOfService } from "./found-service.ts";
import type { FoundPath } from "./inventory.ts";

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
  /** What both slots' Services have in common. */
  readonly service: ServiceSettings | undefined;
  /** What later releases would be without: the pods and the Service that were found keep it. */
  readonly unsaid: readonly string[];
  /** What later releases have beside what was found. */
  readonly gained: readonly string[];
}

/** @param as the model server that the configuration names; by default one that says what runs */
export function describeFound(found: Discovered, model: string, as?: ModelServer): Described {
  const { autoscaler, container, deployment, ingress, service, path } = found;
  const names = {
    deployment: deployment.metadata?.name ?? "",
    service: service.metadata?.name ?? "",
    ...(autoscaler === undefined ? {} : { autoscaler: autoscaler.metadata?.name ?? "" }),
  };
  const annotations = Object.fromEntries(
    Object.entries(ingress.metadata?.annotations ?? {}).filter(
      ([key]) =>
        !isBookkeeping(key) &&
        !key.startsWith("pulumi.com/") &&
        !toolAnnotation.test(key) &&
        key !== classAnnotation &&
        !canaryAnnotation.test(key),
    ),
  );
  // Said as an option, the pods' probes and identities use TLS, too.
  const protocol = backendProtocol(ingress);
  if (protocol !== "http") delete annotations[protocolAnnotation];
  const server = describeServer(container, found.httpPort, protocol);
  const tls = (ingress.spec?.tls ?? []).map(({ hosts = [], secretName }) => ({
    hosts,
    ...(secretName === undefined || secretName === "" ? {} : { secretName }),
  }));
  const modelServer = as ?? serverAsFound(server, model);
  const { release, lost, gained } = carryOver(found, model, modelServer);
  const settings = describeService(found, modelServer);
  const budget = budgetOf(found, release, model);
  return {
    server,
    release: {
      ...release,
      ...(budget === undefined ? {} : { disruptionBudget: budget }),
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
    service: settings,
    unsaid: [...lost, ...lostOfService(found, settings, modelServer)],
    gained,
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
