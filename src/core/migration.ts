import { type IngressPlace, type IngressSpec, placesOf, type RouteBeside } from "./model.ts";
import type { RouterName } from "./router-names.ts";

/** One router of a move, with all that it is told, and where its controller is. */
export interface Way extends RouteBeside {
  /** URLs, as far as somebody said them. */
  readonly endpoints: readonly string[];
}

/**
 * `trial`: the new objects have a host of their own, which no client uses. `beside`: they have the model's hosts as well, and are to be proved.
 * `clients`: they are proved, and clients move. `removing`: the old ones go. `undoing`: the new ones go.
 */
export const migrationStages = ["trial", "beside", "clients", "removing", "undoing"] as const;
export type MigrationStage = (typeof migrationStages)[number];

/** A model's move from one router to another, as it is remembered. What is declared follows from it, so that a kill leaves nothing unsaid. */
export interface Migration {
  /** Whose objects the settings of the model name, until they are removed. */
  readonly from: Way;
  readonly to: Way;
  readonly stage: MigrationStage;
  /** A host that no client uses, by which the new objects are proved. @default none is needed: they have an address of their own */
  readonly proofHost?: string | undefined;
  /** Whether it takes back a move of which clients may have heard: `from` is what is to go again. @default false */
  readonly isBack?: boolean | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Who began it, `user@host`. */
  readonly by: string;
}

/** What is declared beside the model's own router. Pure. */
export function besidesOf(migration: Migration | undefined): readonly RouteBeside[] {
  if (migration === undefined) return [];
  const { to, proofHost } = migration;
  const { router } = to;
  switch (migration.stage) {
    case "trial":
      return proofHost === undefined ? [] : [{ router, ingress: provedBy(to.ingress, proofHost) }];
    case "beside":
    case "clients":
      return [{ router, ingress: proofHost === undefined ? to.ingress : alsoAt(to.ingress, proofHost) }];
    case "removing":
    case "undoing":
      return [];
  }
}

/** The same paths under another host, and nothing else. Pure. */
export function provedBy(ingress: IngressSpec, host: string): IngressSpec {
  const { also: _also, ...rest } = ingress;
  const [, ...others] = placesAt(ingress, host);
  return { ...rest, host, ...(others.length === 0 ? {} : { also: others }), ...tlsAsBefore(ingress) };
}

/** The paths under another host beside all that is there. Pure. */
function alsoAt(ingress: IngressSpec, host: string): IngressSpec {
  return { ...ingress, also: [...(ingress.also ?? []), ...placesAt(ingress, host)], ...tlsAsBefore(ingress) };
}

/** The paths of the model's first host, under another one: an HTTPRoute has all paths for all of its hosts. */
function placesAt(ingress: IngressSpec, host: string): readonly IngressPlace[] {
  return placesOf(ingress)
    .filter((place) => place.host === ingress.host)
    .map(({ path, pathType }) => ({ host, path, pathType }));
}

/** A certificate is for the hosts that clients use: nobody is to be asked for one of the other. */
function tlsAsBefore(ingress: IngressSpec): Pick<IngressSpec, "tls"> {
  if (ingress.tls === undefined) return {};
  const own = [...new Set(placesOf(ingress).map((place) => place.host))];
  return { tls: ingress.tls.map(({ hosts = own, ...rest }) => ({ ...rest, hosts })) };
}

/** A host beside the model's that nobody uses, of the same number of labels, so that a wildcard that covers the one covers the other. Pure. */
export function proofHostOf(host: string): string {
  const [first = "", ...rest] = host.split(".");
  const label = `modelswitch-proof-${first === "*" ? "any" : first}`.slice(0, 63).replace(/-+$/, "");
  return [label, ...rest].join(".");
}

/**
 * What comes after a stage that is done; `undefined`: the move is over. Clients of one controller need not move: their address stays. Pure.
 */
export function stageAfter(
  { stage, proofHost }: Pick<Migration, "stage" | "proofHost">,
  sameAddress: boolean,
): MigrationStage | undefined {
  switch (stage) {
    case "trial":
      return "beside";
    case "beside":
      return sameAddress && proofHost !== undefined ? "removing" : "clients";
    case "clients":
      return "removing";
    case "removing":
    case "undoing":
      return undefined;
  }
}

/**
 * What becomes of a move that is taken back. Where clients may have moved already they move back first: it is the same move the other way.
 * `undefined`: it is too late, what is old is being removed. Pure.
 */
export function takenBack(migration: Migration): Migration | undefined {
  const { stage } = migration;
  // One that is taken back already does not turn round again.
  if (migration.isBack === true) return stage === "removing" ? undefined : migration;
  switch (stage) {
    case "trial":
    case "beside":
    case "undoing":
      return { ...migration, stage: "undoing" };
    case "clients":
      return turnedRound(migration, "clients");
    case "removing":
      return undefined;
  }
}

/** The same move the other way: what was to go is to stay. Pure. */
export function turnedRound(migration: Migration, stage: "beside" | "clients"): Migration {
  const { from, to, startedAt, by, isBack = false } = migration;
  return { from: to, to: from, stage, startedAt, by, ...(isBack ? {} : { isBack: true }) };
}

/** `traefik (class edge)`, `gateway-api (Gateway infra/edge)`. */
export function describeWay({ router, ingress }: RouteBeside): string {
  const { className, gateway } = ingress;
  const about =
    gateway !== undefined
      ? ` (Gateway ${gateway.namespace === undefined ? "" : `${gateway.namespace}/`}${gateway.name})`
      : className === undefined
        ? ""
        : ` (class ${className})`;
  return `${router}${about}`;
}

/** What a way needs to be called by. */
export function isSameWay(a: RouteBeside, b: RouteBeside): boolean {
  const of = ({ router, ingress }: RouteBeside): unknown[] => [
    router satisfies RouterName,
    ingress.name,
    ingress.canaryName,
    ingress.className,
    ingress.classAnnotation ?? false,
    ingress.gateway?.namespace,
    ingress.gateway?.name,
    ingress.gateway?.sectionName,
  ];
  return JSON.stringify(of(a)) === JSON.stringify(of(b));
}
