import { routerNamed } from "../../component/routers/factory.ts";
import { describeWay } from "../../core/migration.ts";
import type { ObjectRef } from "../../core/object-kind.ts";
import { describeTraffic } from "../../core/routing.ts";
import { namesOfWay } from "../ingress/ways.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import type { PreparedMigration } from "./prepare.ts";

/** What a move does, in its order; every line stands for itself. */
export interface PlannedStep {
  readonly stage: "trial" | "beside" | "clients" | "removing";
  readonly text: string;
}

/** The steps that are left of a move. Pure. */
export function plannedSteps(prepared: PreparedMigration): PlannedStep[] {
  const { migration, record, routing, from, to, sameAddress } = prepared;
  const { proofHost, stage } = migration;
  const made = objectsOf(prepared, "to");
  const gone = objectsOf(prepared, "from");
  const at = to === undefined ? "its address, once the cluster says it" : listed(to);
  const steps: PlannedStep[] = [
    ...(proofHost === undefined
      ? []
      : [
          {
            stage: "trial" as const,
            text: `Make ${made} for the host ${proofHost}, which no client uses, and prove it at ${at}.`,
          },
        ]),
    {
      stage: "beside",
      text:
        proofHost === undefined
          ? `Make ${made}, in the same routing (${describeTraffic(routing)}), and prove it at ${at}, where no client connects yet.`
          : `Give it ${record.settings.ingress.host} as well, in the same routing (${describeTraffic(routing)}), and prove by ${proofHost} that this is in force.`,
    },
    ...(sameAddress === true
      ? []
      : [
          {
            stage: "clients" as const,
            text: `Both serve until clients have moved: ${dnsLine(record.settings.ingress.host, from, to)}`,
          },
        ]),
    {
      stage: "removing",
      text: `Prove the new one once more, remove ${gone}, and prove that clients are answered.`,
    },
  ];
  const order = steps.findIndex((one) => one.stage === stage);
  return stage === "undoing" ? [] : steps.slice(Math.max(0, order));
}

/** What DNS has to do. Pure. */
export function dnsLine(
  host: string,
  from: readonly Endpoint[] | undefined,
  to: readonly Endpoint[] | undefined,
): string {
  const target =
    to === undefined ? "the new controller" : [...new Set(to.map(({ address }) => address))].join(", ");
  const now =
    from === undefined ? "" : ` (now ${[...new Set(from.map(({ address }) => address))].join(", ")})`;
  const ports =
    to !== undefined && from !== undefined && portsOf(to) !== portsOf(from)
      ? ` It listens on port ${portsOf(to)}, the old one on ${portsOf(from)}: a load balancer in front of both has to know.`
      : "";
  return `point ${host} at ${target}${now}; clients that keep a name's address, or a connection, go on using the old one for as long.${ports}`;
}

function portsOf(endpoints: readonly Endpoint[]): string {
  return [...new Set(endpoints.map(({ port }) => String(port)))].toSorted().join(", ");
}

/** `From nginx (class nginx) at http://1.2.3.4 to traefik at http://5.6.7.8`. Pure. */
export function headline({ migration: { from, to }, from: fromAt, to: toAt }: PreparedMigration): string {
  const where = (at: readonly Endpoint[] | undefined) => (at === undefined ? "" : ` at ${listed(at)}`);
  return `From ${describeWay(from)}${where(fromAt)} to ${describeWay(to)}${where(toAt)}`;
}

/** `IngressRoute fraud and TraefikService fraud`. */
function objectsOf({ migration, record }: PreparedMigration, which: "from" | "to"): string {
  const way = migration[which];
  const refs: readonly ObjectRef[] = routerNamed(way.router).refs(namesOfWay(record, way));
  return refs.map(({ kind, name }) => `${kind.kind} ${name}`).join(" and ");
}

function listed(endpoints: readonly Endpoint[]): string {
  return endpoints.map(({ url }) => url).join(", ");
}
