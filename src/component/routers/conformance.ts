import { type Named, objectNames } from "../../core/names.ts";
import { apiVersionOf } from "../../core/object-kind.ts";
import {
  describeExtras,
  type Routing,
  sameRouting,
  settled,
  settledOn,
  stepsTo,
} from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { changeBetween } from "./change.ts";
import type { Router, RouterInput, RoutingObject } from "./router.ts";
import { mainAnnotation } from "./weighted.ts";

/** One thing that has to hold for every router, whoever wrote it. */
export interface ConformanceCheck {
  readonly name: string;
  /** What is wrong; nothing where it holds. Pure; errors of the router itself come through. */
  readonly problems: (router: Router, input: RouterInput) => readonly string[];
}

export interface ConformanceResult {
  readonly name: string;
  readonly problems: readonly string[];
}

/** Tries a router with a model as it is configured. Pure. */
export function conformanceOf(router: Router, input: RouterInput): readonly ConformanceResult[] {
  return conformanceChecks.map(({ name, problems }) => {
    try {
      return { name, problems: problems(router, input) };
    } catch (error) {
      return { name, problems: [error instanceof Error ? error.message : String(error)] };
    }
  });
}

export const conformanceChecks: readonly ConformanceCheck[] = [
  {
    name: "writes what it names, the main object first, each of a kind that it declares",
    problems: writesItsRefs,
  },
  { name: "keeps the names of its objects within 63 characters", problems: shortNames },
  {
    name: "puts every object into the model's namespace, with the labels that say whose it is",
    problems: ownObjects,
  },
  { name: "writes the same for the same routing", problems: isPure },
  { name: "reads what it has written, for every share", problems: readsItself },
  { name: "reads nothing where its objects are missing or somebody else's", problems: readsNobodyElse },
  {
    name: "takes each step by a change of one object, from wherever a killed command left it",
    problems: oneWrite,
  },
  {
    name: "says in its objects which slot has the traffic",
    problems: movesTraffic,
  },
  { name: "forces each side by the preview header where it says that it can", problems: forcesSides },
  { name: "claims its hosts and paths, so that others are found to have them", problems: claims },
];

const wholeShares = Array.from({ length: 101 }, (_, weight) => weight);
const someFineShares = [0.01, 0.1, 0.5, 2.5, 33.33, 66.67, 99.5, 99.99];

/**
 * 0, 1, …, 100 from every slot to every slot, and some of the shares between, where the router can say them; and with each what else the router
 * can say: whose testers are, copies for a slot without traffic, clients that stay while there is a choice.
 */
function everyRouting({ capabilities }: Router): readonly Routing[] {
  const { weights, fineShares, commit, testers, mirror, sticky } = capabilities;
  if (!weights) return slots.map(settledOn);
  return slots.flatMap((main) =>
    slots.flatMap((candidate) =>
      [...wholeShares, ...(fineShares ? someFineShares : [])]
        .map((weight) => ({ main, candidate, weight }))
        .flatMap((split): Routing[] => {
          const isArmed = main !== candidate && split.weight === 0;
          const isShared = main !== candidate && split.weight > 0 && split.weight < 100;
          return [
            split,
            // A canary object has testers for its own slot alone.
            ...(testers && (!commit || main !== candidate) ? [{ ...split, testers: candidate }] : []),
            ...(mirror && isArmed ? [{ ...split, mirror: 10 }] : []),
            ...(sticky !== false && isShared ? [{ ...split, pinned: 7 }] : []),
          ];
        }),
    ),
  );
}

/** What remains of a routing where it is written by this router. */
function asWritten({ capabilities: { weights, commit } }: Router, routing: Routing): Routing {
  return !weights ? settledOn(routing.main) : commit ? routing : settled(routing);
}

const named = (input: RouterInput): Named => input.names ?? input.model;
const inWords = (routing: Routing) => {
  const { main, candidate, weight } = routing;
  const extras = describeExtras(routing);
  return `main ${main}, ${weight} % to ${candidate}${extras === undefined ? "" : `, ${extras}`}`;
};
const same = (a: Routing | undefined, b: Routing | undefined) =>
  a === b || (a !== undefined && b !== undefined && sameRouting(a, b));
const alike = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
/** Enough to see what is wrong. */
const few = (problems: readonly string[]) => [...new Set(problems)].slice(0, 3);

function writesItsRefs(router: Router, input: RouterInput): string[] {
  const objects = router.objects(input);
  const refs = router.refs(named(input));
  const written = objects.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`);
  const promised = refs.map(({ kind, name }) => `${apiVersionOf(kind)} ${kind.kind} ${name}`);
  const undeclared = refs.filter((ref) => !router.kinds.some(({ kind }) => kind === ref.kind.kind));
  const unneeded = router.kinds.filter(({ kind }) => !refs.some((ref) => ref.kind.kind === kind));
  const without = router.kinds.filter(({ kind }) => !router.rights.some((right) => right.kind.kind === kind));
  return [
    ...(alike(written, promised)
      ? []
      : [`it names ${promised.join(", ")}, and writes ${written.join(", ")}`]),
    ...(refs[0].name === objectNames(named(input)).ingress
      ? []
      : [`the main object is called ${refs[0].name}, not as the model`]),
    ...undeclared.map(({ kind }) => `${kind.kind} is none of its kinds`),
    ...unneeded.map(({ kind }) => `it has no object of the kind ${kind}`),
    ...without.map(({ kind }) => `it asks for no right to write the kind ${kind}`),
  ];
}

function shortNames(router: Router): string[] {
  return router
    .refs("m".repeat(52))
    .filter(({ name }) => name.length > 63)
    .map(
      ({ kind, name }) =>
        `the ${kind.kind} of a model with a name of 52 characters has one of ${name.length}`,
    );
}

function ownObjects(router: Router, input: RouterInput): string[] {
  return router
    .objects({ ...input, namespace: "of-the-model" })
    .flatMap(({ kind, metadata }) => [
      ...(metadata.namespace === "of-the-model"
        ? []
        : [`the ${kind} is in the namespace ${metadata.namespace}`]),
      ...(metadata.labels["app.kubernetes.io/managed-by"] === "modelswitch"
        ? []
        : [`the ${kind} lacks the label of its owner`]),
    ]);
}

function isPure(router: Router, input: RouterInput): string[] {
  return alike(router.objects(input), router.objects(input))
    ? []
    : ["called twice it wrote two different things"];
}

function readsItself(router: Router, input: RouterInput): readonly string[] {
  return few(
    everyRouting(router).flatMap((routing) => {
      const found = router.read(named(input), router.objects({ ...input, routing }));
      const meant = asWritten(router, routing);
      if (same(found, meant)) return [];
      return [`written: ${inWords(meant)}; read: ${found === undefined ? "nothing" : inWords(found)}`];
    }),
  );
}

function readsNobodyElse(router: Router, input: RouterInput): string[] {
  const names = objectNames(named(input));
  const other = router.objects({ ...input, model: "somebody-else", names: objectNames("somebody-else") });
  const foreign = router.objects({
    ...input,
    names: { ...names, service: { blue: "x", green: "y" }, union: "z" },
  });
  return [
    ...(router.read(names, []) === undefined ? [] : ["where there is nothing it read a routing"]),
    ...(router.read(names, other) === undefined ? [] : ["it read the objects of another model as its own"]),
    ...(router.read(names, foreign) === undefined
      ? []
      : ["it read a routing to Services that are not the model's"]),
  ];
}

function oneWrite(router: Router, input: RouterInput): readonly string[] {
  return few(
    everyRouting(router).flatMap((from) =>
      slots.flatMap((target) =>
        [false, true].flatMap((mainIsEmpty) => {
          let at = asWritten(router, from);
          const wrong: string[] = [];
          for (const { name, routing } of stepsTo(target, at, router.capabilities, { mainIsEmpty })) {
            if (changeBetween(router, input, at, routing) === undefined) {
              wrong.push(`the step "${name}" from ${inWords(at)} to ${inWords(routing)} writes nothing`);
            }
            if (changeBetween(router, input, routing, routing) !== undefined) {
              wrong.push(`${inWords(routing)} written twice is a change`);
            }
            at = asWritten(router, routing);
          }
          if (!same(at, settledOn(target)))
            wrong.push(`the steps from ${inWords(from)} to ${target} end at ${inWords(at)}`);
          return wrong;
        }),
      ),
    ),
  );
}

function movesTraffic(router: Router, input: RouterInput): string[] {
  const written = slots.map((slot) => text(router.objects({ ...input, routing: settledOn(slot) })));
  // The note of whose turn it is moves no request.
  const [blue, green] = written.map((one) =>
    one.replaceAll(new RegExp(`"${mainAnnotation}":"\\w*"`, "g"), ""),
  );
  return blue === green ? ["all traffic on blue and all traffic on green are the same objects"] : [];
}

function text(objects: readonly RoutingObject[]): string {
  return JSON.stringify(objects);
}

function forcesSides(router: Router, input: RouterInput): string[] {
  const routing: Routing = { main: "blue", candidate: "green", weight: router.capabilities.weights ? 25 : 0 };
  const [main, candidate] = [router.force(routing, "main"), router.force(routing, "candidate")];
  if (!router.capabilities.header) {
    return main === undefined && candidate === undefined
      ? []
      : ["it says that it cannot preview, and names values of the header"];
  }
  const written = text(router.objects({ ...input, routing }));
  return [
    ...(main === undefined || candidate === undefined || main === candidate
      ? [`the values of the header for both sides are ${main} and ${candidate}`]
      : []),
    // Names of headers have no case.
    ...(written.toLowerCase().includes(input.previewHeader.toLowerCase())
      ? []
      : [`no object names the header ${input.previewHeader}`]),
  ];
}

function claims(router: Router, input: RouterInput): string[] {
  const [main] = router.objects(input);
  if (main === undefined) return ["there is no main object"];
  const places = (router.claim(main).spec?.rules ?? []).flatMap(({ host, http }) =>
    (http?.paths ?? []).map(({ path }) => `${host ?? ""} ${path}`),
  );
  const { host, path = "/" } = input.ingress;
  const mine = `${host} ${path}`;
  return places.includes(mine)
    ? []
    : [`the main object is not seen to claim ${mine.trim()}: it claims ${places.join(", ") || "nothing"}`];
}
