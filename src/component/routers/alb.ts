import { objectNames } from "../../core/names.ts";
import { isObject } from "../../core/object-kind.ts";
import { changed, settled, wholeShare } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { cookieValue, type TesterCookie } from "../../core/testers.ts";
import { albGround } from "./alb-ground.ts";
import { routerCapabilities } from "./capabilities.ts";
import {
  type IngressManifest,
  ingressKind,
  ingressTo,
  ofIngresses,
  refuseOwnedAnnotations,
} from "./main-ingress.ts";
import type { ObservedObject, Router, RouterInput } from "./router.ts";
import {
  mainAnnotation,
  type ObservedWeight,
  ofTesters,
  ofWeights,
  refuseUnweighable,
  routingOf,
  testersOf,
  unsupported,
  weightsOf,
} from "./weighted.ts";

const prefix = "alb.ingress.kubernetes.io/";

/**
 * Actions of this Ingress alone, under names that do not derive from the model's: `conditions.NAME` leaves 52 characters for them. A backend
 * names one in place of a Service, with the port `use-annotation`.
 */
const shared = "modelswitch";
const preview = { blue: `${shared}-blue`, green: `${shared}-green` } as const;
const byHeader = `${shared}-testers`;
const byCookie = [`${shared}-cookie-first`, `${shared}-cookie-later`] as const;

/**
 * The AWS Load Balancer Controller: one Ingress, whose rules lead to actions, and whose annotations say what these are. The rules never change:
 * the controller writes one after the other to the load balancer, by their places, and a rule that came between would be somebody else's for a
 * moment. So testers have rules where they are known at all, which lead where everybody's does while nothing goes live. Target groups of both
 * slots are always in a rule that uses them, so that their health is known.
 */
export const alb: Router<IngressManifest> = {
  name: "alb",
  readBy: ["alb"],
  ...ofIngresses,
  ...ofWeights,
  byIngressClass: true,
  capabilities: routerCapabilities.alb,
  // What one of the load balancer's machines shows is not in force at all of them, and nothing says when it will be.
  propagation: { watchMs: 15_000, deadlineMs: 180_000 },

  refs(model) {
    return [{ kind: ingressKind, name: objectNames(model).ingress }];
  },

  objects(input) {
    const { ingress, routing } = input;
    refuseUnweighable("alb", input);
    refuseUnsayable(input);
    const own = { ...actionsOf(input), ...conditionsOf(input), ...requestAnnotations(ingress) };
    refuseOwnedAnnotations("alb", ingress, own);
    const name = objectNames(input.names ?? input.model).ingress;
    const main = ingressTo(routing.main, input, {
      name,
      annotations: {
        ...suggested(input),
        ...ingress.annotations,
        ...own,
        ...ofTesters(input),
        [mainAnnotation]: settled(routing).main,
      },
      tls: true,
    });
    return [withActions(main, actionNames(input))];
  },

  read(model, objects) {
    const [ref] = alb.refs(model);
    const object = objects.find((one) => isObject(one, ref));
    if (!leadsToActions(object)) return undefined;
    const weights = weightsIn(object?.metadata?.annotations?.[`${prefix}actions.${shared}`]);
    const routing = weights === undefined ? undefined : routingOf(model, object, weights, wholeShare);
    return routing === undefined ? undefined : changed(routing, testersOf(object));
  },

  classOf: ({ className = "" }) => className,
  requestAnnotations,
  advice:
    "Look at the events of the Ingress and the log of the AWS Load Balancer Controller, whether it serves the class (`ingress.className`), and whether the targets of both target groups are healthy.",
  ground: ({ namespace }, look) => albGround(namespace, look),
};

/** The actions of a place, in the order in which the load balancer asks whether they fit. */
function actionNames({ testers }: RouterInput): readonly string[] {
  return [
    ...slots.map((slot) => preview[slot]),
    ...(testers?.header === undefined ? [] : [byHeader]),
    ...(testers?.cookie === undefined ? [] : byCookie),
    shared,
  ];
}

function withActions(main: IngressManifest, names: readonly string[]): IngressManifest {
  const rules = main.spec.rules.map((rule) => ({
    ...rule,
    http: {
      paths: rule.http.paths.flatMap((path) =>
        names.map((name) => ({
          ...path,
          backend: { service: { name, port: { name: "use-annotation" } } },
        })),
      ),
    },
  }));
  return { ...main, spec: { ...main.spec, rules } };
}

function actionsOf(input: RouterInput): Readonly<Record<string, string>> {
  const { service } = objectNames(input.names ?? input.model);
  const { servicePort, routing } = input;
  const forward = (weights: readonly { readonly service: string; readonly weight: number }[]) =>
    JSON.stringify({
      type: "forward",
      forwardConfig: {
        targetGroups: weights.map(({ service: serviceName, weight }) => ({
          serviceName,
          servicePort,
          weight,
        })),
      },
    });
  const everybody = forward(weightsOf(input));
  const ofTesters =
    routing.testers === undefined ? everybody : forward([{ service: service[routing.testers], weight: 100 }]);
  return Object.fromEntries(
    actionNames(input).map((name) => {
      const slot = slots.find((one) => preview[one] === name);
      const action =
        slot !== undefined
          ? forward([{ service: service[slot], weight: 100 }])
          : name === shared
            ? everybody
            : ofTesters;
      return [`${prefix}actions.${name}`, action];
    }),
  );
}

/** Values are compared without case; of their signs only * and ? mean anything, which neither a slot nor a tester has. */
function conditionsOf({ previewHeader, testers }: RouterInput): Readonly<Record<string, string>> {
  const when = (name: string, httpHeaderName: string, values: readonly string[]) => [
    `${prefix}conditions.${name}`,
    JSON.stringify([{ field: "http-header", httpHeaderConfig: { httpHeaderName, values } }]),
  ];
  const { header, cookie } = testers ?? {};
  return Object.fromEntries([
    ...slots.map((slot) => when(preview[slot], previewHeader, [slot])),
    ...(header === undefined ? [] : [when(byHeader, header.name, [header.value])]),
    ...(cookie === undefined
      ? []
      : cookieValues(cookie).map((values, index) => when(byCookie[index] ?? "", "Cookie", values))),
  ]);
}

/**
 * A Cookie header with the cookie alone, as its first, as its last and in between, as browsers write it. In two rules, since one has five
 * values at most, and host and path are three of them.
 */
function cookieValues(cookie: TesterCookie): readonly (readonly string[])[] {
  const pair = `${cookie.name}=${cookieValue(cookie)}`;
  return [
    [pair, `${pair};*`],
    [`*; ${pair}`, `*; ${pair};*`],
  ];
}

/** What free annotations may say otherwise: the slots' Services have no ports on nodes, and model servers say elsewhere than at / that they are well. */
function suggested({ healthPath, ingress: { protocol = "http" } }: RouterInput): Record<string, string> {
  const isGrpc = protocol === "grpc" || protocol === "grpcs";
  return {
    [`${prefix}target-type`]: "ip",
    ...(healthPath === undefined || isGrpc ? {} : { [`${prefix}healthcheck-path`]: healthPath }),
  };
}

function requestAnnotations({
  protocol = "http",
}: Pick<RouterInput["ingress"], "protocol">): Record<string, string> {
  return {
    ...(protocol === "https" || protocol === "grpcs" ? { [`${prefix}backend-protocol`]: "HTTPS" } : {}),
    ...(protocol === "grpc" || protocol === "grpcs" ? { [`${prefix}backend-protocol-version`]: "GRPC" } : {}),
  };
}

/** @throws UserError `routing-unsupported` */
function refuseUnsayable({ ingress }: RouterInput): void {
  if (ingress.className === undefined) {
    throw unsupported(
      "alb",
      'ingress.className is not said, and the AWS Load Balancer Controller does not serve "nginx", which it is by default',
      'Name the IngressClass of the controller, mostly `ingress.className: "alb"`.',
    );
  }
  const secret = ingress.tls?.find(({ secretName }) => secretName !== undefined)?.secretName;
  if (secret === undefined) return;
  throw unsupported(
    "alb",
    `ingress.tls names the Secret ${secret}, and an Application Load Balancer has its certificates from AWS Certificate Manager`,
    `Leave secretName out: the controller finds the certificate by the host, or by the annotation ${prefix}certificate-arn.`,
  );
}

interface ObservedSpec {
  readonly rules?: readonly {
    readonly http?: {
      readonly paths?: readonly {
        readonly backend?: {
          readonly service?: { readonly name?: string; readonly port?: { readonly name?: string } };
        };
      }[];
    };
  }[];
}

/** Whether everything that an Ingress takes leads to an action of this router, and something to the one for everybody. */
function leadsToActions(object: ObservedObject | undefined): boolean {
  const known: readonly string[] = [...Object.values(preview), byHeader, ...byCookie, shared];
  const spec = object?.spec as ObservedSpec | undefined;
  const backends = (spec?.rules ?? [])
    .flatMap(({ http }) => http?.paths ?? [])
    .map(({ backend }) => backend?.service);
  return (
    backends.some((service) => service?.name === shared) &&
    backends.every(
      (service) => service?.port?.name === "use-annotation" && known.includes(service.name ?? ""),
    )
  );
}

/** `undefined`: no action that shares requests among Services. */
function weightsIn(text: string | undefined): readonly ObservedWeight[] | undefined {
  try {
    const action = JSON.parse(text ?? "") as {
      readonly forwardConfig?: {
        readonly targetGroups?: readonly { readonly serviceName?: string; readonly weight?: number }[];
      };
    } | null;
    return action?.forwardConfig?.targetGroups?.map(({ serviceName, weight }) => ({
      name: serviceName,
      weight,
    }));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
