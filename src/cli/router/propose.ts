import { routerNamed, routersFor } from "../../component/routers/factory.ts";
import { controllerOfGatewayClass, controllerOfIngressClass } from "../../core/controllers.ts";
import type { BuiltInRouterName } from "../../core/router-names.ts";
import type { FoundControllers, FoundGateway, FoundIngressClass } from "./found.ts";

/** A router that fits what runs, with what it needs to be told. */
export interface Proposal {
  readonly router: BuiltInRouterName;
  /** What was found that speaks for it. */
  readonly because: string;
  readonly ingress: {
    readonly className?: string;
    readonly gateway?: { readonly name: string; readonly namespace: string };
  };
  /** Whether `ingress.endpoints` has to say where clients connect. */
  readonly needsEndpoints: boolean;
}

/**
 * The routers that fit what a cluster has, the one that can do most first: of each class its best one, shares before none, the default class
 * before others. Pure.
 */
export function proposeRouters(found: FoundControllers): readonly Proposal[] {
  const classes = found.ingressClasses.toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault));
  const all = [
    ...classes.map((one) => forClass(one, found.groups)),
    ...found.gateways.flatMap((gateway) => forGateway(gateway, found)),
    ...(found.istioGateways ?? []).map(forIstioGateway),
  ];
  const splits = ({ router }: Proposal) => Number(routerNamed(router).capabilities.weights);
  return all.toSorted((a, b) => splits(b) - splits(a));
}

function forClass(
  { name, controller, isDefault }: FoundIngressClass,
  groups: FoundControllers["groups"],
): Proposal {
  const known = controllerOfIngressClass(controller);
  const isServed = (router: BuiltInRouterName) =>
    // A class says of no Gateway.
    routerNamed(router).needsGateway !== true &&
    routerNamed(router).kinds.every(
      ({ group }) => groups === undefined || group === "" || groups.includes(group),
    );
  const router = (known === undefined ? undefined : routersFor(known.name).find(isServed)) ?? "plain";
  const whose = known?.title ?? controller;
  return {
    router,
    because: `IngressClass ${name}${isDefault ? " (the default)" : ""}: ${whose}`,
    ingress: { className: name },
    needsEndpoints: !routerNamed(router).publishesAddress,
  };
}

function forGateway(
  { name, namespace, className }: FoundGateway,
  { gatewayClasses }: FoundControllers,
): Proposal[] {
  const itsClass = gatewayClasses.find((one) => one.name === className);
  // One that nobody has accepted takes no route.
  if (itsClass !== undefined && !itsClass.isAccepted) return [];
  const whose = controllerOfGatewayClass(itsClass?.controllerName ?? "")?.title ?? itsClass?.controllerName;
  return [
    {
      router: "gateway-api",
      because: `Gateway ${namespace}/${name} of the class ${className}${whose === undefined ? "" : `: ${whose}`}`,
      ingress: { gateway: { name, namespace } },
      needsEndpoints: false,
    },
  ];
}

function forIstioGateway({ name, namespace }: Omit<FoundGateway, "className">): Proposal {
  return {
    router: "istio",
    because: `Gateway ${namespace}/${name} of Istio`,
    ingress: { gateway: { name, namespace } },
    needsEndpoints: !routerNamed("istio").publishesAddress,
  };
}

/** A proposal in words. Pure. */
export function proposalText({ router, because, ingress, needsEndpoints }: Proposal): string {
  const { className, gateway } = ingress;
  const says = [
    `router: "${router}"`,
    ...(className === undefined ? [] : [`ingress.className: "${className}"`]),
    ...(gateway === undefined
      ? []
      : [`ingress.gateway: { name: "${gateway.name}", namespace: "${gateway.namespace}" }`]),
    ...(needsEndpoints ? ["ingress.endpoints: the address where clients connect"] : []),
  ];
  return `${because} → ${says.join(", ")}`;
}
