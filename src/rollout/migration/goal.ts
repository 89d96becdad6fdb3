import {
  requireCapability,
  requireRequestCapabilities,
  routerNamed,
} from "../../component/routers/factory.ts";
import { requireSteps } from "../../component/routers/routing-wishes.ts";
import { refuseSharedObjects } from "../../component/routers/together.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { defaults } from "../../core/defaults.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { isSameWay, type Way } from "../../core/migration.ts";
import type { GatewayRef, IngressSpec } from "../../core/model.ts";
import { defaultPreviewHeader, givenBy, objectNames } from "../../core/names.ts";
import type { RouterName } from "../../core/router-names.ts";
import { settledOn } from "../../core/routing.ts";
import { differences } from "../record/differences.ts";
import { namesOfRecord, type RolloutRecord } from "../record/record.ts";

/** Where a model is to move, as far as it is said beside the configuration. */
export interface GoalOptions {
  /** @default the configuration's */
  readonly to?: RouterName | undefined;
  /** @default the configuration's, where its router is the goal */
  readonly className?: string | undefined;
  /** @default the configuration's, where its router is the goal */
  readonly gateway?: GatewayRef | undefined;
  /** URLs where the new controller listens. @default the configuration's, where its router is the goal; else what the cluster says */
  readonly endpoints?: readonly string[];
  /** URLs where the old controller listens. @default the configuration's, where its router is the present one; else what the cluster says */
  readonly fromEndpoints?: readonly string[];
}

/** From where to where. Pure. */
export function waysOf(
  config: Pick<ResolvedConfig, "router" | "ingress" | "endpoints">,
  { settings }: RolloutRecord,
  options: GoalOptions,
): { readonly from: Way; readonly to: Way; readonly isConfigured: boolean } {
  const router = options.to ?? config.router;
  const isConfigured =
    router === config.router && options.className === undefined && options.gateway === undefined;
  const said = {
    ...(options.className === undefined ? {} : { className: options.className }),
    ...(options.gateway === undefined ? {} : { gateway: options.gateway }),
  };
  const ingress = isConfigured
    ? config.ingress
    : { ...(router === config.router ? config.ingress : portable(config.ingress)), ...said };
  const or = (given: readonly string[] | undefined, otherwise: readonly string[]) =>
    given === undefined || given.length === 0 ? otherwise : given;
  return {
    from: {
      router: settings.router,
      ingress: settings.ingress,
      endpoints: or(options.fromEndpoints, isConfigured ? [] : config.endpoints),
    },
    to: { router, ingress, endpoints: or(options.endpoints, isConfigured ? config.endpoints : []) },
    isConfigured,
  };
}

/** What an ingress says whoever serves it: the class and the Gateway are a controller's. */
function portable(ingress: IngressSpec): IngressSpec {
  const { className: _class, classAnnotation: _annotation, gateway: _gateway, ...rest } = ingress;
  return rest;
}

/** Whether the model has no other way to go. Pure. */
export function isThere({ from, to }: { readonly from: Way; readonly to: Way }): boolean {
  return isSameWay(from, to);
}

/** What of an ingress is a controller's own business, and may differ on the way from one to another. */
const ofController: readonly string[] = [
  "name",
  "canaryName",
  "className",
  "classAnnotation",
  "gateway",
  "annotations",
  "timeout",
  "maxBodySize",
  "tls",
];

/**
 * Refuses a move that would change more than who serves the model, or that the new router has no means for, before anything is written. Pure.
 * @throws UserError `migrate-changes-more`, `routers-share-object`, `capability-missing`, `annotation-owned`, `address-unknown`,
 *   `gateway-missing`, `routing-unsupported` (exit code 2)
 */
export function requirePossible(
  { config, record }: { readonly config: ResolvedConfig; readonly record: RolloutRecord },
  { from, to }: { readonly from: Way; readonly to: Way },
): void {
  const { settings } = record;
  const router = routerNamed(to.router);
  const changes = differences(
    { ingress: withDefaults(from.ingress) },
    { ingress: withDefaults(to.ingress) },
    [],
  ).filter(({ path }) => !ofController.includes(path.split(".")[1] ?? ""));
  if (changes.length > 0) {
    throw new UserError({
      code: "migrate-changes-more",
      message: `A move leaves hosts, paths and the model itself as they are, but ${config.file} asks for more: ${changes.map(({ text }) => text).join("; ")}.`,
      hint: `Put the former values back, move, and let \`modelswitch up\` change them afterwards; or before, with router: "${from.router}".`,
      exitCode: exitCodes.usage,
      details: { differences: changes },
    });
  }
  refuseSharedObjects(namesOfRecord(record), routerNamed(from.router), to);
  requireRequestCapabilities(router, to.ingress);
  // What its objects cannot say, they refuse to say.
  router.objects({
    model: record.model,
    names: objectNames(record.model, { slots: settings.names ?? {}, ...givenBy(to.ingress) }),
    namespace: undefined,
    routing: settledOn("blue"),
    ingress: to.ingress,
    previewHeader: settings.previewHeader,
    servicePort: settings.servicePort ?? defaults.servicePort,
  });
  if (settings.previewHeader !== defaultPreviewHeader) requireCapability(router, "header", "previewHeader");
  const shares = config.rollout.steps.map(({ weight }) => weight).filter((weight) => weight < 100);
  requireSteps(router, shares, "rollout.steps");
  if (!router.publishesAddress && to.endpoints.length === 0) {
    throw new UserError({
      code: "address-unknown",
      message: `Behind the router "${router.name}" nothing in the cluster says where clients connect, so its new objects could not be proved.`,
      hint: "Say where that controller listens: ingress.endpoints in the configuration, or --endpoint URL.",
      exitCode: exitCodes.usage,
    });
  }
}

/** Where a path or a protocol is not said, and where it is said as what it is by default, is the same. */
function withDefaults(ingress: IngressSpec): IngressSpec {
  return {
    ...ingress,
    path: ingress.path ?? "/",
    pathType: ingress.pathType ?? "Prefix",
    protocol: ingress.protocol ?? "http",
    also: ingress.also ?? [],
  };
}
