import { exitCodes, UserError } from "../../core/errors.ts";
import type { ModelSpec, RouteBeside } from "../../core/model.ts";
import { type Named, type ObjectNames, objectNames } from "../../core/names.ts";
import { isObject, type ObjectRef, pulumiType } from "../../core/object-kind.ts";
import { routerNamed } from "./factory.ts";
import type { Router, RouterCapabilities, RouterInput } from "./router.ts";

/**
 * A model that moves from one router to another has the objects of both, which say the same routing: the one named exception to the rule that
 * traffic moves by one object. Whoever works with a router works with both, and clients are where the first one says.
 */
export function together(first: Router, besides: readonly RouteBeside[]): Router {
  if (besides.length === 0) return first;
  const others = besides.map((beside) => ({ ...beside, router: routerNamed(beside.router) }));
  const refsOf = (model: Named): readonly [ObjectRef, ...ObjectRef[]] => {
    const [main, ...more] = first.refs(model);
    const own = others.flatMap(({ router, ingress }) => router.refs(namesBeside(model, ingress)));
    return [main, ...more, ...own];
  };
  const propagation = slowestOf([first, ...others.map(({ router }) => router)]);
  return {
    ...first,
    ...(propagation === undefined ? {} : { propagation }),
    capabilities: capabilitiesOf(first, others),
    kinds: first.kinds,
    rights: [
      ...new Map(
        [first, ...others.map(({ router }) => router)]
          .flatMap(({ rights }) => rights)
          .map((right) => [pulumiType(right.kind), right]),
      ).values(),
    ],
    reads: [first, ...others.map(({ router }) => router)].flatMap(({ reads }) => reads),
    refs: refsOf,
    objects: (input) => [
      ...first.objects(input),
      ...others.flatMap(({ router, ingress }) => router.objects(inputBeside(input, ingress))),
    ],
    // What the others say follows from it, and has no say.
    read: (model, objects) => {
      const own = first.refs(model);
      return first.read(
        model,
        objects.filter((object) => own.some((ref) => isObject(object, ref))),
      );
    },
  };
}

/** The router of a model with those beside it. */
export function routerOf({ router, besides = [] }: Pick<ModelSpec, "router" | "besides">): Router {
  return together(routerNamed(router), besides);
}

/** The routers beside a model's own, each with what it is told. */
export function besidesIn(
  { besides = [] }: Pick<ModelSpec, "besides">,
  input: Omit<RouterInput, "routing">,
): readonly { readonly router: Router; readonly input: Omit<RouterInput, "routing"> }[] {
  return besides.map((beside) => ({
    router: routerNamed(beside.router),
    input: inputBeside(input, beside.ingress),
  }));
}

/**
 * Refuses two routers that would write the same object.
 * @throws UserError `routers-share-object` (exit code 2)
 */
export function refuseSharedObjects(model: Named, first: Router, beside: RouteBeside): void {
  const key = ({ kind, name }: ObjectRef) => `${kind.kind} ${name}`;
  const own = first.refs(model).map(key);
  const shared = routerNamed(beside.router)
    .refs(namesBeside(model, beside.ingress))
    .map(key)
    .filter((one) => own.includes(one));
  if (shared.length === 0) return;
  throw new UserError({
    code: "routers-share-object",
    message: `The routers "${first.name}" and "${beside.router}" would both write the ${shared.join(" and the ")}, which can be only one of the two at a time.`,
    hint: 'Give the new one names of its own in the configuration: ingress: { name: "NAME", canaryName: "NAME-canary" }.',
    exitCode: exitCodes.usage,
    details: { objects: shared },
  });
}

function namesBeside(model: Named, { name, canaryName }: RouteBeside["ingress"]): ObjectNames {
  const names = objectNames(model);
  // Without a name of its own it has the one that derives from the model's.
  const derived = names.record.replace(/-modelswitch$/, "");
  return { ...names, ingress: name ?? derived, canaryIngress: canaryName ?? `${derived}-canary` };
}

function inputBeside<T extends Omit<RouterInput, "routing">>(input: T, ingress: RouteBeside["ingress"]): T {
  return { ...input, ingress, names: namesBeside(input.names ?? input.model, ingress) };
}

/** What one of them needs, a proof of both has. */
function slowestOf(all: readonly Router[]): Router["propagation"] {
  const known = all.flatMap(({ propagation }) => propagation ?? []);
  if (known.length === 0) return undefined;
  return {
    watchMs: Math.max(...known.map(({ watchMs }) => watchMs)),
    deadlineMs: Math.max(...known.map(({ deadlineMs }) => deadlineMs)),
  };
}

/** Both have to do what is done: traffic is moved as the first does it. */
function capabilitiesOf(first: Router, others: readonly { readonly router: Router }[]): RouterCapabilities {
  const can = (one: "weights" | "fineShares" | "testers" | "cookie" | "mirror") =>
    first.capabilities[one] && others.every(({ router }) => router.capabilities[one]);
  const weights = can("weights");
  return {
    ...first.capabilities,
    weights,
    fineShares: can("fineShares"),
    commit: weights && first.capabilities.commit,
    cookie: can("cookie"),
    mirror: can("mirror"),
    testers: can("testers"),
    sticky: others.every(({ router }) => router.capabilities.sticky === first.capabilities.sticky)
      ? first.capabilities.sticky
      : false,
  };
}
