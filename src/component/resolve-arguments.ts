import type * as pulumi from "@pulumi/pulumi";
import { defaults } from "../core/defaults.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import type { ModelServer } from "../core/model.ts";
import {
  defaultPreviewHeader,
  modelNamePattern,
  namesOfModel,
  type ObjectNames,
  ownLabels,
  slotLabels,
} from "../core/names.ts";
import { requestProblems } from "../core/request-rules.ts";
import { type Routing, settledOn } from "../core/routing.ts";
import { slotProblems } from "../core/slot-rules/slot-rules.ts";
import { isSlot, type Slot, slots } from "../core/slots.ts";
import type { BlueGreenModelArgs } from "./arguments.ts";
import { requireCapability, requireRequestCapabilities, routerNamed } from "./routers/factory.ts";
import { refuseInvalidRouting, refuseOwnedAnnotations } from "./routers/main-ingress.ts";
import type { Router } from "./routers/router.ts";
import { requireRoutingCapabilities } from "./routers/routing-wishes.ts";
import { refuseSharedObjects, together } from "./routers/together.ts";
import { custom } from "./servers/custom.ts";

/** The arguments with their defaults, checked. */
export interface ResolvedArgs {
  readonly names: ObjectNames;
  readonly router: Router;
  readonly routing: Routing;
  readonly server: ModelServer;
  readonly previewHeader: string;
  readonly servicePort: number;
}

/**
 * Fills in defaults and refuses what can be known to be wrong before anything is planned.
 * @throws UserError
 */
export function resolveArgs(name: string, args: BlueGreenModelArgs): ResolvedArgs {
  const refuse = (code: string, message: string, hint?: string): never => {
    throw new UserError({
      code,
      message: `BlueGreenModel "${name}": ${message}`,
      ...(hint === undefined ? {} : { hint }),
      exitCode: exitCodes.usage,
    });
  };
  if (!modelNamePattern.test(name)) {
    refuse(
      "name-invalid",
      "the name must be at most 52 lower-case letters, digits and dashes, starting with a letter, because the names of all objects derive from it.",
    );
  }
  if (!isSlot(args.live))
    refuse("live-invalid", `live is ${JSON.stringify(args.live)}, but must be "blue" or "green".`);
  const routing = args.routing ?? settledOn(args.live);
  if (routing.main !== args.live && routing.candidate !== args.live) {
    refuse(
      "routing-invalid",
      `live is "${args.live}", but the routing sends everything to "${routing.main}".`,
      "Let `live` be one of the routing's slots.",
    );
  }
  refuseInvalidRouting(routing);
  const router = together(routerNamed(args.router ?? defaults.router), args.besides ?? []);
  const previewHeader = args.previewHeader ?? defaults.previewHeader;
  if (previewHeader !== defaultPreviewHeader) requireCapability(router, "header", "previewHeader");
  if (!/^[A-Za-z0-9-]+$/.test(previewHeader)) {
    refuse(
      "header-invalid",
      `previewHeader is "${previewHeader}", but must be letters, digits and dashes, for example ${defaultPreviewHeader}.`,
    );
  }
  requireRoutingCapabilities(router, { testers: args.testers, routing }, previewHeader);
  const servicePort = args.servicePort ?? defaults.servicePort;
  if (!Number.isInteger(servicePort) || servicePort < 1 || servicePort > 65_535) {
    refuse("port-invalid", `servicePort is ${servicePort}, but must be a whole number from 1 to 65535.`);
  }
  const { ingress } = args;
  if (args.server?.http === false && ingress.protocol !== "grpc") {
    refuse(
      "server-invalid",
      `the model server has no HTTP, so ingress.protocol must be "grpc", but is "${ingress.protocol ?? "http"}".`,
    );
  }
  if (ingress.host === "")
    refuse("host-missing", "ingress.host is empty.", 'For example "mlmodels.example.com".');
  for (const { path } of [ingress, ...(ingress.also ?? [])]) {
    if (path !== undefined && !path.startsWith("/"))
      refuse("path-invalid", `ingress.path is "${path}", but must start with "/".`);
  }
  requireRequestCapabilities(router, ingress);
  for (const [key, message] of Object.entries(requestProblems(ingress))) {
    refuse("ingress-invalid", `ingress.${key} ${message}.`);
  }
  refuseOwnedAnnotations(
    router.name,
    {
      annotations: known(ingress.annotations ?? {}),
      className: typeof ingress.className === "string" ? ingress.className : defaults.ingress.className,
    },
    {},
  );
  const blue = selectorOf(name, "blue", args);
  const green = selectorOf(name, "green", args);
  // A slot's pods have the model's own labels, too: a Service that selects by those would take both.
  const podsOf = (selector: Readonly<Record<string, string>>) => ({ ...ownLabels(name), ...selector });
  if (selectsAllOf(blue, podsOf(green)) || selectsAllOf(green, podsOf(blue))) {
    refuse(
      "selectors-overlap",
      `the slots share pods: blue selects ${JSON.stringify(blue)}, green ${JSON.stringify(green)}.`,
      'Each slot needs pods of its own, for example { app: "fraud", version: "blue" } and { app: "fraud", version: "green" }.',
    );
  }
  for (const slot of slots) {
    const { image, replicas } = args.slots[slot];
    if (image === "")
      refuse(
        "image-empty",
        `the image of ${slot} is empty.`,
        "Leave `image` out if somebody else runs the pods.",
      );
    if (typeof replicas === "number" && !(Number.isInteger(replicas) && replicas >= 0)) {
      refuse(
        "replicas-invalid",
        `${slot} has ${replicas} replicas, but must have a whole number of them, 0 or more.`,
      );
    }
    const [wrong] = slotProblems({ ...args.slots[slot], selector: selectorOf(name, slot, args) });
    if (wrong !== undefined)
      refuse("slot-invalid", `slots.${slot}.${wrong.path.map(String).join(".")} ${wrong.message}.`);
  }
  const server = args.server ?? custom();
  const names = namesOfModel(name, args.slots, args.ingress);
  for (const beside of args.besides ?? []) {
    refuseSharedObjects(names, routerNamed(args.router ?? defaults.router), beside);
    requireRequestCapabilities(routerNamed(beside.router), beside.ingress);
  }
  return { names, router, routing, server, previewHeader, servicePort };
}

/** The labels of a slot's pods. */
export function selectorOf(
  name: string,
  slot: Slot,
  args: BlueGreenModelArgs,
): Readonly<Record<string, string>> {
  return args.slots[slot].selector ?? slotLabels(name, slot);
}

/** Whether every pod that `narrow` selects is selected by `wide`, too. */
function selectsAllOf(
  wide: Readonly<Record<string, string>>,
  narrow: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wide).every(([label, value]) => narrow[label] === value);
}

/** Values that are not known yet are shown as such in messages. */
function known(values: Readonly<Record<string, pulumi.Input<string>>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, typeof value === "string" ? value : "(computed)"]),
  );
}
