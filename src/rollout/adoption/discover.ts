import { classAnnotation, canaryAnnotation as ofCanaries } from "../../component/routers/main-ingress.ts";
import { hostProblem } from "../../config/model/host.ts";
import { controllerOfIngressClass } from "../../core/controllers.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { objectNames, ownLabels } from "../../core/names.ts";
import { type Obstacle, ownersOf } from "../program/object-owners.ts";
import { liveObjects } from "./behind-ingress.ts";
import { budgetFor, policiesOfBlueAlone } from "./budget.ts";
import type { Discovered } from "./discovered.ts";
import { protocolObstacle } from "./found-server.ts";
import { ownAddress } from "./found-service.ts";
import type { FoundIngress, FoundService, Inventory } from "./inventory.ts";
import { type Labels, otherSelector, selects } from "./labels.ts";
import { type FoundPlace, sharedPlaces } from "./shared-places.ts";

/**
 * Follows an Ingress to its Service, and that to its Deployment and pods; finds everything that stands in the way of taking them
 * over as a slot of `model`. Pure.
 * @throws UserError `from-unknown`, `adoption-refused` (exit code 2)
 */
export function discover(ingressName: string, model: string, inventory: Inventory): Discovered {
  const { namespace } = inventory;
  const ingress = inventory.ingresses.find(({ metadata }) => metadata?.name === ingressName);
  if (ingress === undefined) throw unknownIngress(ingressName, inventory);
  const obstacles: Obstacle[] = [];
  const warnings: string[] = [];
  const note = (found: Obstacle | undefined) => {
    if (found !== undefined) obstacles.push(found);
  };

  const [rule, ...also] = placesIn(ingress, note);
  const ofClass = classOf(ingress, namespace, note);
  for (const place of rule === undefined ? [] : [rule, ...also])
    note(canaryObstacle(ingress, place, inventory));
  const behind = rule === undefined ? undefined : liveObjects(rule.path, inventory, note);
  if (behind !== undefined) note(protocolObstacle(ingress, behind.container, behind.httpPort));
  const objects = [
    ["Ingress", ingress],
    ["Service", behind?.service],
    ["Deployment", behind?.deployment],
    ["HorizontalPodAutoscaler", behind?.autoscaler],
  ] as const;
  for (const [kind, object] of objects) {
    if (object === undefined) continue;
    for (const { verdict, reason, remedy } of ownersOf(kind, object)) {
      if (verdict === "refuse") obstacles.push({ reason, remedy });
      else warnings.push(`${reason}; ${remedy}`);
    }
  }
  for (const taken of takenNames(model, inventory)) note(taken);

  if (rule === undefined || ofClass === undefined || behind === undefined || obstacles.length > 0) {
    throw refused(ingressName, namespace, obstacles);
  }
  const { deployment, service } = behind;
  const { className } = ofClass;
  const podLabels = deployment.spec?.template?.metadata?.labels ?? {};
  warnings.push(...otherServices(service, podLabels, inventory));
  warnings.push(...sharedPlaces(ingressName, [rule, ...also], className, inventory));
  const address = ownAddress(service);
  if (address !== undefined) warnings.push(address);
  const green = otherSelector(
    model,
    "blue",
    [behind.selector, deployment.spec?.selector?.matchLabels ?? {}],
    podLabels,
  );
  warnings.push(
    ...policiesOfBlueAlone(inventory, podLabels, { ...podLabels, ...ownLabels(model), ...green }),
  );
  const controller = inventory.controllers?.[className];
  const canaries =
    controller === undefined
      ? /nginx/.test(className)
      : controllerOfIngressClass(controller)?.name === "ingress-nginx";
  if (!canaries) {
    warnings.push(
      `the controller of the class ${className}${controller === undefined ? "" : ` (${controller})`} is not known to read canary annotations: the router "plain" is used, which cannot split traffic or preview a slot`,
    );
  }
  return {
    ingress,
    ...behind,
    host: rule.host,
    path: rule.path,
    also,
    ...ofClass,
    canaries,
    otherSelector: green,
    leftovers: Object.entries(ingress.metadata?.annotations ?? {})
      .filter(([key]) => ofCanaries.test(key))
      .map(([key, value]) => `${key}: ${value}`),
    budget: budgetFor(inventory, podLabels),
    warnings,
  };
}

function unknownIngress(name: string, { ingresses, namespace }: Inventory): UserError {
  const names = ingresses.map(({ metadata }) => metadata?.name ?? "");
  return new UserError({
    code: "from-unknown",
    message: `There is no Ingress "${name}" in the namespace ${namespace}.`,
    hint: names.length === 0 ? "There are no Ingresses at all." : `There are: ${names.join(", ")}.`,
    exitCode: exitCodes.usage,
  });
}

/** The error that lists everything that stands in the way. */
export function refused(ingress: string, namespace: string, obstacles: readonly Obstacle[]): UserError {
  return new UserError({
    code: "adoption-refused",
    message: [
      `What the Ingress ${ingress} in ${namespace} leads to cannot be taken over as it is:`,
      ...obstacles.map(({ reason, remedy }) => `  ${reason}\n    ${remedy}`),
    ].join("\n"),
    hint: "Nothing was changed. Mend what is listed, then run the command again.",
    exitCode: exitCodes.usage,
    details: { obstacles },
  });
}

type Note = (found: Obstacle | undefined) => void;

/** A model is one Service: an Ingress whose paths lead to several is shared with others. */
function placesIn({ metadata, spec }: FoundIngress, note: Note): readonly FoundPlace[] {
  const name = metadata?.name ?? "";
  if (spec?.defaultBackend !== undefined) {
    note({
      reason: `the Ingress ${name} has a default backend, which would stay without a slot`,
      remedy: "move it into an Ingress of its own",
    });
  }
  const all = (spec?.rules ?? []).flatMap((rule) =>
    (rule.http?.paths ?? []).map((path) => ({ host: rule.host ?? "", path })),
  );
  const [first] = all;
  if (first === undefined) {
    note({
      reason: `the Ingress ${name} has no path that leads to a Service`,
      remedy: "name the Ingress that clients of the model use",
    });
    return [];
  }
  const backend = ({ path }: FoundPlace) => JSON.stringify([path.backend?.service, path.backend?.resource]);
  if (all.some((place) => backend(place) !== backend(first))) {
    const shown = all.map(
      ({ host, path }) =>
        `${host === "" ? "*" : host}${path.path ?? "/"} to ${path.backend?.service?.name ?? "something that is no Service"}`,
    );
    note({
      reason: `the Ingress ${name} has ${all.length} paths that lead to different things (${shown.join(", ")}), and a model is one Service`,
      remedy:
        "put the model's hosts and paths into an Ingress of their own first, with the same annotations; then remove them from this one",
    });
    return [];
  }
  const wrong = [...new Set(all.map(({ host }) => host))].filter((host) => {
    const problem = host === "" ? "" : hostProblem(host);
    if (host === "") {
      note({
        reason: `the Ingress ${name} names no host, so it takes the requests of every host`,
        remedy: "set the host of each of its rules to the name that clients use",
      });
    } else if (problem !== undefined) {
      note({
        reason: `the host of the Ingress ${name}: ${problem}`,
        remedy: "give the model a host of its own, in an Ingress of its own",
      });
    }
    return problem !== undefined;
  });
  return wrong.length === 0 ? all : [];
}

/** The class, and whether the old annotation names it. */
function classOf(
  { metadata, spec }: FoundIngress,
  namespace: string,
  note: Note,
): Pick<Discovered, "className" | "classAnnotation"> | undefined {
  const name = metadata?.name ?? "";
  const annotated = metadata?.annotations?.[classAnnotation];
  const named = spec?.ingressClassName;
  if (annotated !== undefined && named !== undefined) {
    note({
      reason: `the Ingress ${name} names its class twice, ${named} and by the annotation ${classAnnotation} ${annotated}, which API servers refuse in a new one`,
      remedy: `remove the annotation: kubectl --namespace ${namespace} annotate ingress ${name} ${classAnnotation}-`,
    });
    return undefined;
  }
  if (annotated !== undefined) return { className: annotated, classAnnotation: true };
  if (named !== undefined) return { className: named, classAnnotation: false };
  note({
    reason: `the Ingress ${name} names no class`,
    remedy: "set spec.ingressClassName to the class of the controller that serves it",
  });
  return undefined;
}

const canaryAnnotation = "nginx.ingress.kubernetes.io/canary";

function canaryObstacle(
  ingress: FoundIngress,
  place: FoundPlace,
  { ingresses }: Inventory,
): Obstacle | undefined {
  const name = ingress.metadata?.name ?? "";
  const isCanary = (value = "") => /^(1|t|true)$/i.test(value);
  if (isCanary(ingress.metadata?.annotations?.[canaryAnnotation])) {
    return {
      reason: `the Ingress ${name} is the canary of another Ingress`,
      remedy: "name the main Ingress, and remove the canary first",
    };
  }
  const canary = ingresses.find(
    (other) =>
      isCanary(other.metadata?.annotations?.[canaryAnnotation]) &&
      (other.spec?.rules ?? []).some(
        ({ host, http }) =>
          host === place.host && (http?.paths ?? []).some(({ path }) => path === place.path.path),
      ),
  );
  if (canary === undefined) return undefined;
  return {
    reason: `the Ingress ${canary.metadata?.name} is a canary of ${name} already, and a host and path can have only one`,
    remedy: "end that canary and delete its Ingress first",
  };
}

/** Objects that the model makes must not be there under the names they get. */
function takenNames(model: string, inventory: Inventory): Obstacle[] {
  const names = objectNames(model);
  const taken = [
    ["Deployment", names.deployment.green, inventory.deployments],
    ["Service", names.service.green, inventory.services],
    ["Ingress", names.canaryIngress, inventory.ingresses],
    ["HorizontalPodAutoscaler", names.autoscaler.green, inventory.autoscalers ?? []],
  ] as const;
  return taken
    .filter(([, name, objects]) => objects.some(({ metadata }) => metadata?.name === name))
    .map(([kind, name]) => ({
      reason: `there is a ${kind} ${name} already, and that is what modelswitch would call one of its own`,
      remedy: "give the model another name (`--name`), or remove it if nobody needs it",
    }));
}

/** Others that lead to the same pods keep doing so, whatever is switched. */
function otherServices(service: FoundService, podLabels: Labels, { services }: Inventory): string[] {
  const name = service.metadata?.name ?? "";
  const others = services.filter(({ metadata, spec }) => {
    const selector = spec?.selector ?? {};
    return metadata?.name !== name && Object.keys(selector).length > 0 && selects(selector, podLabels);
  });
  return [
    `clients inside the cluster that use the Service ${name} itself, not the Ingress, reach blue also after a switch to green`,
    ...others.map(
      ({ metadata }) =>
        `the Service ${metadata?.name} selects the same pods; it goes on leading to blue, whatever is switched`,
    ),
  ];
}
