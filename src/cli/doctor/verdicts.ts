import { isExampleHost } from "../../config/model/host.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { controllerOfIngressClass } from "../../core/controllers.ts";
import type { LocalClusterHost } from "../../core/local-cluster.ts";
import { didYouMean } from "../../core/nearest.ts";
import type { OptionalRow } from "../../core/optional-permissions.ts";
import { describePermissions, type Permission } from "../../core/permission-checks.ts";
import { slots } from "../../core/slots.ts";
import { findVersion, isInRange } from "../../tools/version-range.ts";
import { failed, ok, skipped, type Verdict, warning } from "./check.ts";

/** Judgements over what was observed. Pure. */

export const oldestKubernetes = "1.30";
const oldestNode = "22.19";

export function nodeVerdict(version: string): Verdict {
  if (isInRange(version, `>=${oldestNode}`)) return ok(`Node.js ${version}`);
  return failed(
    `Node.js ${version} is older than ${oldestNode}`,
    "Install a current one from https://nodejs.org.",
  );
}

/** `gitVersion` as the API server says it, for example `v1.36.3` or `v1.31.2-gke.1`. */
export function versionVerdict(server: string, gitVersion: string): Verdict {
  const at = `Kubernetes ${gitVersion} at ${server}`;
  if (findVersion(gitVersion) === undefined)
    return warning(
      `${at}: the version cannot be read`,
      `modelswitch is tested with ${oldestKubernetes} and newer.`,
    );
  if (isInRange(gitVersion, `>=${oldestKubernetes}`)) return ok(at);
  return failed(
    `${at} is older than ${oldestKubernetes}`,
    "Upgrade the cluster, or choose another with --context.",
  );
}

/** What the API server does not let the account do. */
export interface Lacking {
  /** Of what `status`, `plan` and this command need. */
  readonly reading: readonly Permission[];
  /** Of what `up`, `switch` and `destroy` need beside that. */
  readonly writing: readonly Permission[];
  /** Of what Pulumi's provider needs beside that. */
  readonly engine: readonly Permission[];
  readonly optional: readonly OptionalRow[];
}

const askForRole =
  "Ask for the Role that `modelswitch rbac` prints, or choose another context with --context.";

/** @param lacking `undefined`: the API server does not say */
export function permissionsVerdict(namespace: string, lacking: Lacking | undefined): Verdict {
  if (lacking === undefined) return skipped("the API server does not say what the account may do");
  const { reading, writing, engine, optional } = lacking;
  const lacks = (denied: readonly Permission[]) =>
    `the account lacks in the namespace ${namespace}: ${describePermissions(denied).join("; ")}`;
  if (reading.length > 0) return failed(lacks([...reading, ...writing, ...engine]), askForRole);
  if (writing.length > 0) {
    return warning(
      `the account may look (status, plan), but not change anything: ${lacks([...writing, ...engine])}`,
      askForRole,
    );
  }
  if (engine.length > 0) {
    return warning(
      `the account may look (status, plan) and take traffic back (rollback, abort), but run no Pulumi, whose provider would wait for ever: ${lacks(engine)}`,
      askForRole,
    );
  }
  const without = [...new Set(optional.map((row) => row.without))];
  const missing =
    without.length === 0 ? "" : `; what is optional and not granted means: ${without.join("; ")}`;
  return ok(`all that up, switch and destroy need in the namespace ${namespace}${missing}`);
}

export type NamespaceFound = "there" | "missing" | "forbidden";

export function namespaceVerdict(namespace: string, found: NamespaceFound): Verdict {
  switch (found) {
    case "there":
      return ok(`namespace ${namespace}`);
    case "forbidden":
      return skipped(`the account may not look at the namespace ${namespace}; that is not needed`);
    case "missing":
      return failed(
        `the namespace ${namespace} does not exist`,
        `\`modelswitch up --create-namespace\` makes it; or name another one: \`namespace\` in the configuration file.`,
      );
  }
}

export interface IngressClassFacts {
  readonly name: string;
  readonly controller: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What the class says about where its controller listens. */
  readonly endpoint: string | undefined;
}

/** A class that only an annotation names needs no IngressClass: nothing in the cluster tells whether somebody serves it. */
export function annotatedClassVerdict(wanted: string): Verdict {
  return skipped(`the annotation kubernetes.io/ingress.class names ${wanted}; who serves it is not known`);
}

/**
 * @param wanted name of the class in the configuration
 * @param classes those of the cluster; `undefined` when the account may not look
 * @param retiredControllers pods of ingress-nginx that run in the cluster; `undefined` when the account may not look
 */
export function ingressClassVerdict(
  wanted: string,
  classes: readonly IngressClassFacts[] | undefined,
  retiredControllers: readonly string[] | undefined,
): Verdict {
  if (classes === undefined) {
    return skipped(
      `the account may not look at IngressClasses; whether there is one called ${wanted} is not known`,
    );
  }
  const found = classes.find(({ name }) => name === wanted);
  const names = classes.map(({ name }) => name);
  if (found === undefined) {
    return failed(
      `there is no IngressClass ${wanted}${didYouMean(wanted, names)}`,
      names.length === 0
        ? "Install an ingress controller, for example Traefik 3.7 or newer, or use a local cluster: `modelswitch cluster up`."
        : `Set ingress.className to one of ${names.join(", ")}, or install a controller that serves ${wanted}.`,
    );
  }
  const at = found.endpoint === undefined ? "" : `, listens at ${found.endpoint}`;
  const detail = `IngressClass ${wanted}, controller ${found.controller}${at}`;
  const controller = controllerOfIngressClass(found.controller);
  const byLabel = [found.labels["app.kubernetes.io/name"], found.labels["app.kubernetes.io/part-of"]].some(
    (label) => label === controller?.name,
  );
  if (controller?.retired !== undefined && (byLabel || (retiredControllers ?? []).length > 0)) {
    const evidence = retiredControllers?.[0] === undefined ? "by its labels" : `pod ${retiredControllers[0]}`;
    return warning(`${detail}: served by ${controller.name} (${evidence})`, controller.retired);
  }
  return ok(detail);
}

export function hostVerdict(host: string): Verdict {
  if (!isExampleHost(host)) return ok(host);
  return warning(
    `${host} is an example domain that clients cannot reach`,
    "Set ingress.host to your own domain before clients are to use it.",
  );
}

export interface DnsFacts {
  readonly host: string;
  /** Addresses that the host resolves to, or why it does not. */
  readonly resolved: { readonly addresses: readonly string[] } | { readonly problem: string };
  /** Addresses in the Ingress's status (host names resolved); `undefined` when there is no Ingress yet. */
  readonly ingress: readonly string[] | undefined;
  /** `ingress.endpoints` of the configuration. */
  readonly endpoints: readonly string[];
}

export function dnsVerdict({ host, resolved, ingress, endpoints }: DnsFacts): Verdict {
  const found = "addresses" in resolved ? resolved.addresses : [];
  const says =
    "problem" in resolved
      ? `${host} does not resolve (${resolved.problem})`
      : `${host} resolves to ${found.join(", ")}`;
  if (isExampleHost(host)) return skipped(`${says}; it is an example domain`);
  if (ingress === undefined) {
    if ("problem" in resolved) {
      return warning(
        says,
        "Point it at the ingress controller's address once `modelswitch up` has made the Ingress.",
      );
    }
    return skipped(`${says}; there is no Ingress yet to compare with`);
  }
  if (ingress.length === 0) {
    return warning(
      `${says}, but the Ingress has no address in its status`,
      endpoints.length > 0
        ? `The proof connects to ingress.endpoints (${endpoints.join(", ")}); clients need a DNS entry for the controller.`
        : "The ingress controller may not serve its class, or does not publish its address; ingress.endpoints can name it.",
    );
  }
  const target = `the Ingress is at ${ingress.join(", ")}`;
  if ("problem" in resolved)
    return failed(
      `${says}; ${target}`,
      `Add a DNS entry for ${host} that points at ${ingress.join(" or ")}.`,
    );
  const elsewhere = found.filter((address) => !ingress.includes(address));
  if (elsewhere.length === 0) return ok(`${says}, where the Ingress is`);
  if (elsewhere.length === found.length) {
    return failed(
      `${says}, but ${target}`,
      `Point the DNS entry of ${host} at ${ingress.join(" or ")}, unless a load balancer or CDN is in between.`,
    );
  }
  return warning(
    `${says}, but ${target}: ${elsewhere.join(", ")} leads elsewhere`,
    "Requests to that address do not reach the model; remove it from the DNS entry, unless a load balancer is there.",
  );
}

export function imagesVerdict(config: Pick<ResolvedConfig, "runs">): Verdict {
  const images = imagesOf(config.runs);
  if (images.length === 0) {
    return ok("the slots name no image: somebody else runs their pods, selected by labels");
  }
  const floating = images.filter((image) => !image.includes("@") && /(^|\/)[^:/]+(:latest)?$/.test(image));
  const detail = [...new Set(images)].join(", ");
  if (floating.length > 0) {
    return warning(
      `${detail}: ${floating.join(", ")} has no fixed tag`,
      "Name a version or a digest: what a slot runs must not change behind its release.",
    );
  }
  if (config.runs.form === "slots" && images.length === 1) {
    return warning(
      `${detail} in one slot only`,
      "Give the other slot an image too, or `switch` has nothing to move to.",
    );
  }
  return ok(detail);
}

function imagesOf(runs: ResolvedConfig["runs"]): string[] {
  switch (runs.form) {
    case "template":
      return [runs.release.image];
    case "slots":
      return slots.flatMap((slot) => runs.slots[slot].image ?? []);
  }
}

export function identityVerdict(config: Pick<ResolvedConfig, "identity" | "server">): Verdict {
  const identity = config.identity ?? config.server.identity;
  if (identity === undefined) {
    return failed(
      `answers of the model server "${config.server.name}" cannot be told apart by slot, so no switch can be proved`,
      'Set identity, for example { path: "/version", from: { kind: "body" } }, or use a preset: server: "mlserver".',
    );
  }
  const { from } = identity;
  const mark =
    from.kind === "header"
      ? `the header ${from.name}`
      : from.kind === "json"
        ? `${from.path} in the JSON`
        : "the body";
  return ok(`${mark} of GET ${identity.path}`);
}

export interface HostMachine {
  /** Programs that are there. */
  readonly programs: readonly string[];
  /** What local clusters say of this machine; `undefined` where their package is not installed. */
  readonly host: LocalClusterHost | undefined;
}

export function localClusterVerdict(machine: HostMachine): Verdict {
  const { host } = machine;
  if (host === undefined) {
    return warning(
      "its package, @modelswitch/local-cluster, is not installed",
      "Nothing but local clusters needs it: `npm install @modelswitch/local-cluster`.",
    );
  }
  if (host.refusal !== undefined)
    return failed(host.refusal.message, host.refusal.hint ?? "Use any cluster by --context.");
  const has = (program: string) => machine.programs.includes(program);
  const missing = ["go", "apt-get"].filter((program) => !has(program));
  const detail = `${host.platform}, root, ${machine.programs.join(", ")}`;
  if (missing.length === 0) return ok(detail);
  return warning(
    `${detail}; not there: ${missing.join(", ")}`,
    "They are needed only where the official releases of Kubernetes, etcd, containerd and Traefik cannot be downloaded.",
  );
}

export interface PulumiFacts {
  readonly found: { readonly path: string; readonly version: string; readonly origin: string } | undefined;
  /** Where it would be had from, in this order. */
  readonly sources: readonly string[];
  readonly goInstalled: boolean;
}

export function pulumiVerdict({ found, sources, goInstalled }: PulumiFacts): Verdict {
  if (found !== undefined) return ok(`Pulumi ${found.version} at ${found.path} (${found.origin})`);
  return warning(
    `the Pulumi CLI is neither in the cache nor on PATH; the first command that needs it gets it from: ${sources.join(", else ")}`,
    goInstalled
      ? "Nothing to do; a download takes seconds, a build from source about six minutes, once."
      : "Where downloads are blocked, install the Pulumi CLI or Go (https://go.dev/dl) first.",
  );
}
